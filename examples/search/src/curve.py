"""A polynomial in x in [-1, 1], fitted by gradient descent."""


def powers(x: float, degree: int) -> list[float]:
    return [x**i for i in range(degree + 1)]


def value(weights: list[float], x: float) -> float:
    return sum(w * p for w, p in zip(weights, powers(x, len(weights) - 1)))


def loss(weights: list[float], points: list[list[float]]) -> float:
    """Mean squared error."""
    return sum((value(weights, x) - y) ** 2 for x, y in points) / len(points)


def descend(weights: list[float], points: list[list[float]], rate: float) -> list[float]:
    """One step of gradient descent over all points."""
    slope = [0.0] * len(weights)
    for x, y in points:
        error = value(weights, x) - y
        for i, p in enumerate(powers(x, len(weights) - 1)):
            slope[i] += 2 * error * p / len(points)
    return [w - rate * s for w, s in zip(weights, slope)]
