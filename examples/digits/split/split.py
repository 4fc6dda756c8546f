"""Splits a table into training and test rows, with the same share of each digit in both."""

import argparse

import pandas
from sklearn.model_selection import train_test_split


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--digits", required=True)
    parser.add_argument("--test-share", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--train", required=True)
    parser.add_argument("--test", required=True)
    arguments = parser.parse_args()

    table = pandas.read_csv(arguments.digits)
    train, test = train_test_split(
        table, test_size=arguments.test_share, random_state=arguments.seed, stratify=table["digit"]
    )
    train.to_csv(arguments.train, index=False)
    test.to_csv(arguments.test, index=False)
    print(f"{len(train)} rows to train, {len(test)} to test")


if __name__ == "__main__":
    main()
