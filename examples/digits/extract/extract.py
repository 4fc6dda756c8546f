"""Writes scikit-learn's handwritten digits (UCI, Alpaydin and Kaynak, 1998) as CSV: 64 pixels, then the digit."""

import sys

import pandas
from sklearn.datasets import load_digits


def main(path: str) -> None:
    digits = load_digits()
    table = pandas.DataFrame(digits.data.astype(int), columns=[f"pixel_{i}" for i in range(64)])
    table["digit"] = digits.target
    table.to_csv(path, index=False)
    print(f"{len(table)} pictures of {table['digit'].nunique()} digits")


if __name__ == "__main__":
    main(sys.argv[1])
