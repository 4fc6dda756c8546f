"""Writes the confusion matrix of a model as a picture, and the scores as text."""

import argparse
import json
import pathlib
import pickle

import matplotlib
import pandas
from sklearn.metrics import ConfusionMatrixDisplay

matplotlib.use("Agg")
import matplotlib.pyplot as pyplot  # noqa: E402  (the backend is chosen first)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--scores", required=True)
    parser.add_argument("--test", required=True)
    parser.add_argument("--title", required=True)
    parser.add_argument("--report", required=True)
    arguments = parser.parse_args()

    table = pandas.read_csv(arguments.test)
    model = pickle.loads((pathlib.Path(arguments.model) / "model.pkl").read_bytes())
    scores = json.loads(pathlib.Path(arguments.scores).read_text())
    best = scores["best"]

    folder = pathlib.Path(arguments.report)
    figure, axes = pyplot.subplots(figsize=(6, 6))
    ConfusionMatrixDisplay.from_predictions(
        table["digit"], model.predict(table.drop(columns="digit").to_numpy()), ax=axes, colorbar=False
    )
    axes.set_title(f"{arguments.title}\n{best['name']}, accuracy {best['accuracy']:.4f}")
    figure.tight_layout()
    figure.savefig(folder / "confusion_matrix.png", dpi=120)

    lines = [f"# {arguments.title}", ""]
    lines += [f"- {score['name']}: accuracy {score['accuracy']:.4f}" for score in scores["models"]]
    lines += ["", f"Best: {best['name']}, accuracy {best['accuracy']:.4f}", ""]
    (folder / "report.md").write_text("\n".join(lines))
    print(f"accuracy {best['accuracy']:.4f} ({best['name']})")


if __name__ == "__main__":
    main()
