"""Reads what a run has reported with the Python packages of TensorBoard and W&B: `read_back.py tensorboard FOLDER`
or `read_back.py wandb FILE`. It prints JSON, or null where the package is missing."""

import json
import struct
import sys
import zlib


def tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    events = EventAccumulator(folder, size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    events.Reload()
    tags = events.Tags()
    plugin = {
        tag: HParamsPluginData.FromString(content) for tag, content in events.PluginTagToContent("hparams").items()
    }
    start = plugin["_hparams_/session_start_info"].session_start_info
    end = plugin.get("_hparams_/session_end_info")
    return {
        "scalars": {tag: [[one.step, one.value] for one in events.Scalars(tag)] for tag in tags["scalars"]},
        "images": {tag: [[one.step, one.width, one.height] for one in events.Images(tag)] for tag in tags["images"]},
        "text": events.Tensors("params")[-1].tensor_proto.string_val[0].decode(),
        "hparams": {name: getattr(value, value.WhichOneof("kind")) for name, value in start.hparams.items()},
        "metrics": [one.name.tag for one in plugin["_hparams_/experiment"].experiment.metric_infos],
        "status": None if end is None else end.session_end_info.status,
    }


def wandb(file):
    from wandb.proto.wandb_internal_pb2 import Record

    records = [Record.FromString(record) for record in records_of(file)]
    kinds = [record.WhichOneof("record_type") for record in records]
    run = next(record.run for record in records if record.HasField("run"))
    values = lambda items: {item.key: json.loads(item.value_json) for item in items}
    return {
        "kinds": sorted(set(kinds)),
        "numbers": [record.num for record in records],
        "run": {"id": run.run_id, "project": run.project, "entity": run.entity, "name": run.display_name},
        "notes": run.notes,
        "config": values(run.config.update),
        "history": [values(record.history.item) for record in records if record.HasField("history")],
        "steps": [record.history.step.num for record in records if record.HasField("history")],
        "summary": values([item for record in records for item in record.summary.update]),
        "files": [one.path for record in records for one in record.files.files],
        "exit": [record.exit.exit_code for record in records if record.HasField("exit")],
    }


def records_of(file):
    """By the package's own reader where it has one in Python (to 0.22), otherwise by the framing of LevelDB's log."""
    try:
        import wandb

        wandb._assert_is_internal_process = True
        from wandb.sdk.internal.datastore import DataStore
    except ImportError:
        return scan(file)
    store = DataStore()
    store.open_for_scan(file)
    return list(iter(store.scan_data, None))


def scan(file):
    with open(file, "rb") as opened:
        data = opened.read()
    assert data[:7] == b":W&B\xe1\xbe\x00"
    at, parts, records = 7, b"", []
    while at < len(data):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        checksum, length, kind = struct.unpack("<IHB", data[at : at + 7])
        part = data[at + 7 : at + 7 + length]
        assert zlib.crc32(part, zlib.crc32(bytes([kind]))) == checksum
        parts, at = parts + part, at + 7 + length
        if kind in (1, 4):
            records.append(parts)
            parts = b""
    return records


try:
    print(json.dumps({"tensorboard": tensorboard, "wandb": wandb}[sys.argv[1]](sys.argv[2])))
except ModuleNotFoundError as error:
    print(str(error), file=sys.stderr)
    print("null")
