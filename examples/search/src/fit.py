"""One trial: trains on two folds, and is judged by the third after each epoch."""

import json
import sys

import mlflow
from curve import descend, loss

points_file, fold, degree, rate, result_file = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5]
with open(points_file) as file:
    points = json.load(file)
train = [p for i, p in enumerate(points) if i % 3 != fold]
held_out = [p for i, p in enumerate(points) if i % 3 == fold]

weights = [0.0] * (degree + 1)
for epoch in range(60):
    weights = descend(weights, train, rate)
    mlflow.log_metric("loss", loss(weights, held_out), step=epoch)

result = {"degree": degree, "rate": rate, "loss": loss(weights, held_out), "weights": weights}
with open(result_file, "w") as file:
    json.dump(result, file)
print(f"fold {fold}: degree {degree}, rate {rate:.3f}: loss {result['loss']:.4f}")
