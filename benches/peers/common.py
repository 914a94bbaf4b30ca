"""Field case B in full 3-D: what the peers' programs share. Lengths in mm, power in W, temperatures in K above 37 °C.

A peer is an object with

    dofs, cells, dofs_here    degrees of freedom of the temperature, elements, and those of this process
    potential(theta)          solves the potential of 1 V on the tip with σ at `theta`
    power() -> W              its power
    source() -> array         heat of that potential, tested
    mass(theta) -> array      heat capacity times `theta`, tested
    heat(load, part, guess)   solves (part · 1.5/DT_S · mass + stiffness) x = load; part is 1 (BDF2) or 2/3 (backward Euler)
    sample(theta) -> array    the values at `points()`, on every process

whose arrays hold the degrees of freedom of this process.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

BODY_C = 37.0
RADIUS_MM, TIP_MM, RING_MM, DOMAIN_MM = 0.454, -5.0, 5.0, 60.0
SIGMA_S_PER_MM, SIGMA_PER_K, SIGMA_LIMIT_K = 0.446e-3, 0.015, 63.0
# Conductivity in W/(mm K), heat capacity in J/(mm³ K), heat sink of perfusion in W/(mm³ K).
TISSUE = (0.49e-3, 1090 * 3421e-9, 0.0007 * 1050 * 3617e-9)
STEEL = (16.2e-3, 7900 * 500e-9, 0.0)
FREQUENCY_FACTOR_PER_S, ACTIVATION_ENERGY_J_PER_MOL, GAS_CONSTANT = 7.39e39, 2.577e5, 8.314462618
DT_S, RAMP_S, HEATED_S, END_S, SET_C, RISE_K_PER_S = 5.0, 10.0, 100.0, 130.0, 80.0, 4.3
GAUSS = ((0.5 - 0.15**0.5, 5 / 18), (0.5, 4 / 9), (0.5 + 0.15**0.5, 5 / 18))

HEIGHTS_MM = np.arange(-2.0, 3.01, 0.5)
REACH_MM = np.linspace(1.8, 7.8, 25)
SIDES = np.array([(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)])


def points():
    """The thermocouple, then lines along ±x and ±y at several heights."""
    side, z, r = np.meshgrid(range(4), HEIGHTS_MM, REACH_MM, indexing="ij")
    lines = np.column_stack([SIDES[side.ravel()] * r.ravel()[:, None], z.ravel()])
    return np.vstack([(0.0, 0.0, TIP_MM + 0.5), lines])


def sigma_factor(theta, least):
    """σ over that at 37 °C; `least` is the smaller of two values in the peer's language."""
    return 1 + SIGMA_PER_K * least(theta, SIGMA_LIMIT_K)


def rate_per_s(theta):
    return FREQUENCY_FACTOR_PER_S * np.exp(-ACTIVATION_ENERGY_J_PER_MOL / (GAS_CONSTANT * (theta + BODY_C + 273.15)))


def injury_of_step(before, now, after):
    """Integral of the rate over a step on the parabola through three temperatures (a line when `before` is None)."""
    total = 0.0
    for s, weight in GAUSS:
        theta = now + s * (after - now)
        if before is not None:
            theta = theta + 0.5 * s * (s - 1) * (after - 2 * now + before)
        total = total + weight * rate_per_s(theta)
    return DT_S * total


def widths(omega):
    """Widths of Ω >= 1 along x and y, mm: the highest of the parabola through the largest reaches over the heights."""
    ln = np.log(np.maximum(omega[1:], 1e-300)).reshape(4, len(HEIGHTS_MM), len(REACH_MM))
    reach = np.zeros(ln.shape[:2])
    for side, row in np.ndindex(reach.shape):
        line = ln[side, row]
        outside = np.flatnonzero(line < 0)
        k = outside[0]
        if k == 0:
            raise ValueError("the lesion does not reach the first sample")
        # ln Ω of the crossing by the cubic through four samples.
        window = slice(max(0, k - 2), k + 2)
        fine = np.linspace(REACH_MM[k - 1], REACH_MM[k], 201)
        values = np.polyval(np.polyfit(REACH_MM[window] - REACH_MM[k], line[window], len(line[window]) - 1), fine - REACH_MM[k])
        reach[side, row] = np.interp(0.0, -values, fine)
    return [peak(reach[0] + reach[1]), peak(reach[2] + reach[3])]


def peak(values):
    k = int(np.clip(np.argmax(values), 1, len(values) - 2))
    curve = 0.5 * (values[k - 1] - 2 * values[k] + values[k + 1])
    slope = 0.5 * (values[k + 1] - values[k - 1])
    return float(values[k] - slope**2 / (4 * curve)) if curve < 0 else float(values.max())


def simulate(peer):
    """Semi-implicit BDF2 with equal steps, backward Euler after each switching. Returns Ω at the points and Z at HEATED_S."""
    theta = np.zeros(peer.dofs_here)
    older, now, before, impedance = theta, np.zeros(len(points())), None, None
    omega = np.zeros(len(now))
    for step in range(round(END_S / DT_S)):
        t = step * DT_S
        first = t in (0.0, RAMP_S, HEATED_S)
        guess = theta if first else 2 * theta - older
        history = peer.mass(theta if first else 2 * theta - 0.5 * older) / DT_S
        part = 2 / 3 if first else 1.0
        passive = peer.heat(history, part, guess)
        after = peer.sample(passive)
        if t < HEATED_S:
            peer.potential(guess)
            response = peer.heat(peer.source(), part, None)
            wanted = min(RISE_K_PER_S * (t + DT_S), SET_C - BODY_C)
            heard = peer.sample(response)
            volts_squared = max(0.0, (wanted - after[0]) / heard[0])
            passive, after = passive + volts_squared * response, after + volts_squared * heard
        older, theta = theta, passive
        omega += injury_of_step(None if first else before, now, after)
        before, now = now, after
        if t + DT_S == HEATED_S:
            peer.potential(theta)
            impedance = 1 / peer.power()
    return omega, impedance


def run(make_mesh, make_peer, settings, write=True):
    """Meshes, computes and prints one line of JSON; the clock starts after the imports."""
    start = time.perf_counter()
    mesh = make_mesh()
    meshed = time.perf_counter()
    peer = make_peer(mesh)
    omega, impedance = simulate(peer)
    x, y = widths(omega)
    end = time.perf_counter()
    if write:
        print(json.dumps({
            **settings, "cells": peer.cells, "dofs": peer.dofs, "width_x_mm": x, "width_y_mm": y, "impedance_ohm": impedance,
            "mesh_s": meshed - start, "other_s": end - meshed, "total_s": end - start, "parts_s": getattr(peer, "parts_s", {}),
        }))  # fmt: skip
    sys.stdout.flush()
