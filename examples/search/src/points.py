import json
import math
import random
import sys

count, points_file, folds_file = int(sys.argv[1]), sys.argv[2], sys.argv[3]
rng = random.Random(1)
xs = [rng.uniform(-1, 1) for _ in range(count)]
points = [[x, math.sin(3 * x) + rng.gauss(0, 0.1)] for x in xs]
with open(points_file, "w") as file:
    json.dump(points, file)
with open(folds_file, "w") as file:
    json.dump([{"fold": fold} for fold in range(3)], file)
print(f"{count} points in 3 folds")
