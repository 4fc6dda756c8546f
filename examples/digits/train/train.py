"""Trains a classifier of digits and writes it, with a description, into a folder."""

import argparse
import json
import pathlib
import pickle
import time

import pandas
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["linear", "forest"])
    parser.add_argument("--train", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--regularization", type=float, default=1.0)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    table = pandas.read_csv(arguments.train)
    if arguments.kind == "linear":
        model = make_pipeline(
            StandardScaler(), LogisticRegression(C=arguments.regularization, max_iter=2000)
        )
        name = "linear model"
    else:
        model = RandomForestClassifier(n_estimators=arguments.trees, random_state=arguments.seed)
        name = f"forest of {arguments.trees} trees"

    began = time.monotonic()
    model.fit(table.drop(columns="digit").to_numpy(), table["digit"].to_numpy())
    seconds = time.monotonic() - began

    folder = pathlib.Path(arguments.model)
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    (folder / "about.json").write_text(json.dumps({"name": name, "rows": len(table)}, indent=1))
    print(f"{name}: {len(table)} rows in {seconds:.2f} s")


if __name__ == "__main__":
    main()
