"""Runs Neurotome's functional mock-up units as other simulators do, with FMPy, and compares them with the program's own answer.

Usage: python check_fmu.py FOLDER

FOLDER holds NAME.fmu and, beside each, NAME.csv as `neurotome fmu --reference` writes it. Needs the packages `FMPy` and `numpy`. Prints one
line for each check and ends with status 1 when one fails.
"""

from __future__ import annotations

import csv
import shutil
import sys
from pathlib import Path

from fmpy import extract, read_model_description
from fmpy.fmi3 import FMU3Slave
from fmpy.validation import validate_fmu

failures = 0


def check(claim: str, passed: bool, found: object = "") -> None:
    """Prints one check and counts it when it fails."""
    global failures
    failures += not passed
    print(f"{'ok  ' if passed else 'FAIL'} {claim}{f': {found}' if found != '' else ''}")


class Unit:
    """A unit in memory, its variables by name."""

    def __init__(self, path: Path) -> None:
        self.description = read_model_description(str(path))
        self.folder = extract(str(path))
        self.variables = {v.name: v.valueReference for v in self.description.modelVariables}
        self.fmu = FMU3Slave(
            guid=self.description.guid,
            unzipDirectory=self.folder,
            modelIdentifier=self.description.coSimulation.modelIdentifier,
            instanceName="plant",
        )
        self.fmu.instantiate()
        self.begin()

    def begin(self) -> None:
        self.t = 0.0
        self.fmu.enterInitializationMode(startTime=0.0)
        self.fmu.exitInitializationMode()

    def names(self, causality: str) -> list[str]:
        return [v.name for v in self.description.modelVariables if v.causality == causality]

    def get(self, names: list[str]) -> list[float]:
        return list(self.fmu.getFloat64([self.variables[n] for n in names]))

    def set(self, values: dict[str, float]) -> None:
        self.fmu.setFloat64([self.variables[n] for n in values], list(values.values()))

    def step(self, seconds: float) -> None:
        self.fmu.doStep(currentCommunicationPoint=self.t, communicationStepSize=seconds)
        self.t += seconds

    def close(self) -> None:
        self.fmu.terminate()
        self.fmu.freeInstance()
        shutil.rmtree(self.folder, ignore_errors=True)


def follow(unit: Unit, rows: list[dict[str, float]], outputs: list[str]) -> float:
    """Steps the unit through a table; the largest relative distance of its outputs."""
    inputs = unit.names("input")
    worst = 0.0
    for row in rows:
        unit.set({n: row[n] for n in inputs})
        unit.step(0.01)
        for name, found in zip(outputs, unit.get(outputs)):
            worst = max(worst, abs(found - row[name]) / max(abs(row[name]), 1e-3))
    return worst


def hold(unit: Unit, set_c: float, seconds: float) -> tuple[float, float]:
    """Proportional-integral control of channel 1 at 1 kHz; the largest distance and power while the temperature is held."""
    v2, before, worst, power = 0.0, 0.0, 0.0, 0.0
    for n in range(int(seconds * 1000)):
        t = n / 1000
        wanted = 37.0 + (set_c - 37.0) * min(t / 10.0, 1.0)
        (thermocouple,) = unit.get(["thermocouple_1"])
        error = wanted - thermocouple
        v2 = min(max(v2 + 100.0 * (error - before) + 60.0 * error * 1e-3, 0.0), 3600.0)
        before = error
        unit.set({"voltage_1": v2**0.5})
        unit.step(1e-3)
        if t > 30.0:
            worst = max(worst, abs(thermocouple - set_c))
            (power,) = unit.get(["power"])
    return worst, power


def main() -> int:
    folder = Path(sys.argv[1])
    units = sorted(folder.glob("*.fmu"))
    check("units to check", bool(units), len(units))
    for path in units:
        name = path.stem
        problems = validate_fmu(str(path))
        check(f"{name}: FMPy finds it valid", not problems, "; ".join(problems))
        with path.with_suffix(".csv").open() as file:
            rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
        unit = Unit(path)
        outputs = unit.names("output")
        check(f"{name}: units are declared", all(v.unit for v in unit.description.modelVariables))
        worst = follow(unit, rows, outputs)
        check(f"{name}: the same as the program to 1e-9", worst <= 1e-9, worst)
        # Back to the start, by reset.
        unit.fmu.reset()
        unit.begin()
        worst = follow(unit, rows[:500], outputs)
        check(f"{name}: the same after a reset", worst <= 1e-9, worst)
        # A state kept, by itself and as bytes.
        kept = unit.fmu.getFMUState()
        stored = unit.fmu.serializeFMUState(kept)
        unit.t = 5.0
        follow(unit, rows[500:900], outputs)
        expected = unit.get(outputs)
        for what in ("kept", "stored"):
            state = kept if what == "kept" else unit.fmu.deserializeFMUState(stored)
            unit.fmu.setFMUState(state)
            unit.t = 5.0
            follow(unit, rows[500:900], outputs)
            check(f"{name}: goes on the same from a state {what}", unit.get(outputs) == expected)
        if "voltage_2" not in unit.variables and "coolant_flow_1" not in unit.variables:
            unit.fmu.reset()
            unit.begin()
            worst, power = hold(unit, 80.0, 60.0)
            check(f"{name}: control at 1 kHz holds 80 °C within 0.1 K", worst < 0.1, worst)
            check(f"{name}: with a plausible power", 1.0 < power < 10.0, power)
        unit.close()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
