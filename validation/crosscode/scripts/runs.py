"""Runs kept as JSON, and reference values with error estimates made of three of them."""

import json
from pathlib import Path

KEPT = Path(__file__).resolve().parents[3] / "target" / "references"


def keep(case, name, run):
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{case}-{name}.json").write_text(json.dumps(run))


def kept(case, name):
    return json.loads((KEPT / f"{case}-{name}.json").read_text())


def walk(function, *values):
    """Applies `function` to the numbers of equally shaped dictionaries; None where one of them is None."""
    first = values[0]
    if isinstance(first, dict):
        return {key: walk(function, *(v.get(key) for v in values)) for key in first}
    return None if any(v is None for v in values) else function(*values)


def rounded(digits):
    return lambda x: float(f"{x:.{digits}g}")


ANOTHER_SHAPE_MM = 0.5  # extents that differ by more between runs are those of contours with other parts


def drop_other_shapes(value, err):
    """No extent where the runs do not agree on the parts of a contour, as when a ring of it has just appeared."""
    for key, lengths in value.items():
        if isinstance(lengths, dict):
            for name in lengths:
                if name != "volume" and err[key][name] is not None and err[key][name] > ANOTHER_SHAPE_MM:
                    lengths[name] = err[key][name] = None


def collect(case):
    """value = fine + 4/3 (halved - coarse), err = |fine - coarse| + |halved - coarse|, time by time."""
    coarse, halved, fine = (kept(case, name) for name in ("coarse", "halved", "fine"))
    times = {}
    for time, values in fine["t"].items():
        c, h = coarse["t"][time], halved["t"][time]
        times[time] = {
            "value": walk(lambda f, c, h: rounded(6)(f + 4 / 3 * (h - c)), values, c, h),
            "err": walk(lambda f, c, h: rounded(2)(abs(f - c) + abs(h - c)), values, c, h),
        }
        drop_other_shapes(times[time]["value"], times[time]["err"])
    size = {name: {k: r[k] for k in ("order", "elements", "dofs", "steps")} for name, r in (("coarse", coarse), ("halved", halved), ("fine", fine))}
    return {"runs": size, "t": times}
