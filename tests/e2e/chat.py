"""The spec of the repositories in which hooks and recipes run."""

from __future__ import annotations

CHAT = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat}
spec:
  service: desk
  model: acme/writer
  engine: {name: vllm, version: "0.11"}
  selector: {job: chat}
  experienceClass: conversational
  objectives:
    - {sli: itl, threshold: 25ms, target: 95%}
"""
