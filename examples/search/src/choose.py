"""The best of the folds' best."""

import json
import pathlib
import sys

folder, curve_file = pathlib.Path(sys.argv[1]), sys.argv[2]
results = [json.loads(path.read_text()) for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "MLTable"]
best = min(results, key=lambda result: result["loss"])
with open(curve_file, "w") as file:
    json.dump(best, file)
print(f"of {len(results)} folds: degree {best['degree']}, rate {best['rate']:.3f}: loss {best['loss']:.4f}")
