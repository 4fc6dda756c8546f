"""mlflow.tracking, as programs import it."""

from mlflow._api import get_tracking_uri, set_tracking_uri
from mlflow._client import MlflowClient

__all__ = ["MlflowClient", "get_tracking_uri", "set_tracking_uri"]
