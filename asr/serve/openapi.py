"""The OpenAPI 3.1 document of the API (https://spec.openapis.org/oas/v3.1.0)."""

from typing import Any

from asr.serve.limits import Limits
from asr.serve.operations import OPERATIONS, Operation
from asr.serve.uploads import FORM
from asr.version import __version__

ERRORS = {
    400: "The request cannot be read.",
    401: "The token is missing or wrong.",
    403: "The Host or the Origin is not the server's own.",
    408: "The recording took too long to arrive.",
    413: "The recording, the request or the text is too large.",
    415: "The request is not a form, or the recording is not audio that can be read.",
    422: "A field is missing or wrong, the recording is damaged or too short, or a word is not in the lexicon.",
    503: "Too many requests; try again after Retry-After seconds.",
}

_SECONDS = {"type": "number", "minimum": 0, "description": "seconds"}
_SCORE = {"type": "number", "minimum": 0, "maximum": 1}

SCHEMAS: dict[str, Any] = {
    "Phone": {
        "type": "object",
        "required": ["phone"],
        "properties": {"phone": {"type": "string"}, "start": _SECONDS, "end": _SECONDS, "score": _SCORE},
    },
    "Word": {
        "type": "object",
        "required": ["word", "start", "end"],
        "properties": {"word": {"type": "string"}, "start": _SECONDS, "end": _SECONDS},
    },
    "Transcript": {
        "type": "object",
        "required": ["utterance", "phones"],
        "properties": {
            "utterance": {"type": "string", "description": "the name of the file without its suffix"},
            "audio": {"type": "string"},
            "duration": _SECONDS,
            "phones": {"type": "array", "items": {"$ref": "#/components/schemas/Phone"}},
            "words": {"type": "array", "items": {"$ref": "#/components/schemas/Word"}},
            "intervals": {"type": "array", "items": {"type": "array", "items": _SECONDS}},
            "fit": {**_SCORE, "description": "how well an alignment fits the recording"},
        },
    },
    "Comparison": {
        "type": "object",
        "required": ["per", "substitutions", "deletions", "insertions", "reference_phones", "pairs"],
        "properties": {
            "per": {"type": "number", "description": "phone error rate in per cent"},
            **{name: {"type": "integer"} for name in ("substitutions", "deletions", "insertions", "reference_phones")},
            "pairs": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["reference", "hypothesis", "start", "end"],
                    "properties": {
                        "reference": {"type": ["string", "null"]},
                        "hypothesis": {"type": ["string", "null"]},
                        "start": _SECONDS,
                        "end": _SECONDS,
                    },
                },
            },
        },
    },
    "Model": {
        "type": "object",
        "required": ["name", "version", "sample_rate", "phones", "words", "limits"],
        "properties": {
            "name": {"type": "string"},
            "version": {"type": "string"},
            "sample_rate": {"type": "integer", "description": "Hz"},
            "phones": {"type": "array", "items": {"type": "string"}},
            "words": {"type": "boolean", "description": "whether words can be aligned"},
            "limits": {"type": "object", "additionalProperties": {"type": "number"}},
        },
    },
    "Error": {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["status", "message"],
                "properties": {"status": {"type": "integer"}, "message": {"type": "string"}},
            }
        },
    },
}


def document(limits: Limits, needs_token: bool) -> dict[str, Any]:
    """The document as JSON."""
    paths: dict[str, Any] = {each.path: {"post": _post(each)} for each in OPERATIONS}
    paths["/v1/model"] = {
        "get": {
            "operationId": "model",
            "summary": "The model and the limits",
            "responses": {"200": _content("application/json", "Model"), **_errors(401, 403)},
        }
    }
    components: dict[str, Any] = {"schemas": SCHEMAS}
    described: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "asr",
            "version": __version__,
            "description": "Phones of recordings, and when the words of a transcript are said. The page also uses the "
            f"WebSocket /v1/live. A request has at most {limits.megabytes:g} MB, a recording {limits.seconds:g} s.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": components,
    }
    if needs_token:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        described["security"] = [{"token": []}]
    return described


def _post(operation: Operation) -> dict[str, Any]:
    if operation.result == "wav":
        result: dict[str, Any] = {"description": "The recording", "content": {"audio/wav": {}}}
    elif operation.result == "comparison":
        result = _content("application/json", "Comparison")
    else:
        result = _content("application/json", "Transcript")
        result["content"]["text/plain"] = {"schema": {"type": "string", "description": "in another format"}}
    return {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.description,
        "requestBody": {"required": True, "content": {FORM: {"schema": operation.schema()}}},
        "responses": {"200": result, **_errors(*ERRORS)},
    }


def _errors(*statuses: int) -> dict[str, Any]:
    return {str(each): _content("application/json", "Error", ERRORS[each]) for each in statuses}


def _content(media_type: str, schema: str, description: str = "Done") -> dict[str, Any]:
    content: dict[str, Any] = {media_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}
