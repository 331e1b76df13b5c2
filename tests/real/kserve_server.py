"""KServe's model server with a model that answers, is slow or fails as it is told: `python kserve_server.py PORT`."""

from __future__ import annotations

import sys
import time
from typing import Any

from kserve import Model, ModelRepository
from kserve.protocol.dataplane import DataPlane
from kserve.protocol.model_repository_extension import ModelRepositoryExtension
from kserve.protocol.rest.server import RESTServer

SLOW = 0.15  # seconds


class Ranker(Model):  # type: ignore[misc]
    """Does what the first instance says."""

    def load(self) -> bool:
        """Ready at once."""
        self.ready = True
        return True

    def predict(self, payload: dict[str, Any], *_: object, **__: object) -> dict[str, Any]:
        """The instances, late, or not at all."""
        (what,) = payload["instances"]
        if what == "failing":
            raise RuntimeError("as it was asked to")
        if what == "slow":
            time.sleep(SLOW)
        return {"predictions": [what]}


def main() -> None:
    """Serves on the loopback only, which `ModelServer` has no setting for."""
    model = Ranker("ranker")
    model.load()
    models = ModelRepository()
    models.update(model)
    server = RESTServer(
        "kserve.model_server:app", DataPlane(models), ModelRepositoryExtension(models), int(sys.argv[1])
    )
    server.config.host = "127.0.0.1"
    server.run()


if __name__ == "__main__":
    main()
