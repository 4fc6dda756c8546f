"""Scores models on the test rows and copies the best one."""

import argparse
import json
import pathlib
import pickle
import shutil

import pandas


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--test", required=True)
    parser.add_argument("--models", nargs="+", required=True)
    parser.add_argument("--best", required=True)
    parser.add_argument("--scores", required=True)
    arguments = parser.parse_args()

    table = pandas.read_csv(arguments.test)
    pixels, digits = table.drop(columns="digit").to_numpy(), table["digit"].to_numpy()
    scores = []
    for folder in map(pathlib.Path, arguments.models):
        model = pickle.loads((folder / "model.pkl").read_bytes())
        about = json.loads((folder / "about.json").read_text())
        scores.append({**about, "accuracy": float(model.score(pixels, digits)), "folder": str(folder)})
        print(f"{about['name']}: accuracy {scores[-1]['accuracy']:.4f}")

    best = max(scores, key=lambda score: score["accuracy"])
    shutil.copytree(best.pop("folder"), arguments.best, dirs_exist_ok=True)
    for score in scores:
        score.pop("folder", None)
    pathlib.Path(arguments.scores).write_text(json.dumps({"best": best, "models": scores}, indent=1))
    print(f"the best is the {best['name']}")


if __name__ == "__main__":
    main()
