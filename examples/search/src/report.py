import json
import sys

with open(sys.argv[1]) as file:
    curve = json.load(file)
terms = " + ".join(f"{weight:.3f} x^{i}" for i, weight in enumerate(curve["weights"]))
with open(sys.argv[2], "w") as file:
    file.write(f"y = {terms}\nloss {curve['loss']:.4f}\n")
print(f"degree {curve['degree']}, loss {curve['loss']:.4f}")
