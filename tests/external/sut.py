"""A SUT that is spoken to by the control protocol, and its answers checked against the schema."""

import json
import pathlib
import subprocess

try:
    import jsonschema
except ImportError:
    jsonschema = None

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "harness" / "protocol.schema.json"


class Sut:
    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def ask(self, kind, **members):
        request = json.dumps({"type": kind, **members})
        self.process.stdin.write(request.encode() + b"\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if jsonschema is not None:
            schema = json.loads(SCHEMA.read_text())
            schema["$ref"] = f"#/definitions/{answer['type']}"
            del schema["oneOf"], schema["$id"]
            jsonschema.validate(answer, schema)
        return answer

    def set_up(self, workload, keys=None, listen=None, **params):
        place = {"listen": listen} if listen else {}
        return self.ask("setup", workload=workload, keys=keys or {}, seed=7, params=params, **place)
