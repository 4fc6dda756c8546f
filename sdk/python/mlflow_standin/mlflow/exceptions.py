"""MLflow's error, as far as programs look at it."""


class MlflowException(Exception):
    """A call that failed; `error_code` is MLflow's word for why."""

    def __init__(self, message: str, error_code: str = "INTERNAL_ERROR"):
        super().__init__(message)
        self.message = message
        self.error_code = error_code
