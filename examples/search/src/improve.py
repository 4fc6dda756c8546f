"""Trains on, and says whether that was worth going on."""

import json
import sys

from curve import descend, loss

points_file, curve_file, better_file, go_on_file = sys.argv[1:]
with open(points_file) as file:
    points = json.load(file)
with open(curve_file) as file:
    curve = json.load(file)

before = loss(curve["weights"], points)
for _ in range(25):
    curve["weights"] = descend(curve["weights"], points, curve["rate"])
curve["loss"] = loss(curve["weights"], points)
go_on = curve["loss"] < 0.98 * before

with open(better_file, "w") as file:
    json.dump(curve, file)
with open(go_on_file, "w") as file:
    file.write("true" if go_on else "false")
print(f"loss {before:.4f} -> {curve['loss']:.4f}: {'once more' if go_on else 'good enough'}")
