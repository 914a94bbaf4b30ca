"""Fibres beside a point source in NEURON, driven for speed. Lengths in µm, potentials in mV, times in ms, currents in mA.

The double cable of a myelinated fibre is NEURON's `extracellular` with its usual two layers, of which the outer one is a short circuit: so the myelin's capacitance sees
changes of the outside potential. The node is our own `nmodl/mrg_node.mod`. The potential is set only at the pulse's edges, all segments in one
call; the steps are NEURON's own; rest is computed once a fibre and restored; a run ends as soon as the spike has arrived or none can come.
"""

import math

import numpy as np
from neuron import h

h.load_file("stdrun.hoc")

RHO_OHM_CM = 70.0
NARROW_UM, WIDE_UM = 0.002, 0.004
BODY_C = 37.0
SPIKE_MV = -20.0
# Steps between two looks at whether a run can end.
LOOK = 20

TABLE = {
    # diameter: axon, node, spacing, paranode, lamellae
    5.7: (3.4, 1.9, 500, 35, 80),
    7.3: (4.6, 2.4, 750, 38, 100),
    8.7: (5.8, 2.8, 1000, 40, 110),
    10.0: (6.9, 3.3, 1150, 46, 120),
    11.5: (8.1, 3.7, 1250, 50, 130),
    12.8: (9.2, 4.2, 1350, 54, 135),
    14.0: (10.4, 4.7, 1400, 56, 140),
    15.0: (11.5, 5.0, 1450, 58, 145),
    16.0: (12.7, 5.5, 1500, 60, 150),
}


def geometry(sizes, d):
    """Axon, node, spacing, paranode, lamellae, gnaf, gks of a diameter in a set of sizes: table, fitted or small."""
    if sizes == "table":
        return (*TABLE[d], 3.0, 0.08)
    if sizes == "fitted":
        spacing = -8.215 * d * d + 272.4 * d - 780.2 if d >= 5.643 else 81.08 * d + 37.84
        return (
            0.02361 * d * d + 0.3673 * d + 0.7122,
            0.01093 * d * d + 0.1008 * d + 1.099,
            spacing,
            -0.1652 * d * d + 6.354 * d - 0.2862,
            -0.4749 * d * d + 16.85 * d - 0.7648,
            3.0,
            0.08,
        )
    axon = 0.553 * d - 0.024
    return (
        axon,
        0.321 * axon + 0.37,
        -3.22 * d * d + 148 * d - 128,
        -0.171 * d * d + 6.48 * d - 0.935,
        math.floor(17.4 * axon - 1.74),
        2.333333,
        0.115556,
    )


class Fibre:
    """What is common: the outside potential, rest, runs and the search."""

    # When no spike will come: as crates/physics/src/axon and its claims have it.
    rest_mv, quiet_mv, quiet_after_ms, longest_ms = -80.0, -65.0, 0.4, 20.0

    def watch(self, segments, active, arrive_at, away_um, z_mm):
        """All segments with their distance along the fibre from beside the source; those that fire; those of them where a spike is looked for."""
        self.unit = -1e3 / (4 * math.pi * 0.3 * np.hypot(1e-3 * away_um, z_mm))
        self.outside = h.PtrVector(len(segments))
        for k, s in enumerate(segments):
            self.outside.pset(k, s._ref_e_extracellular)
        self.potentials = h.PtrVector(len(active))
        for k, s in enumerate(active):
            self.potentials.pset(k, s._ref_v)
        self.seen = h.Vector(len(active))
        self.counts = []
        for n in arrive_at:
            count = h.APCount(active[n])
            count.thresh = SPIKE_MV
            self.counts.append(count)
        self.rest = None
        self.runs = 0

    def set(self, amplitude):
        self.outside.scatter(h.Vector(self.unit * amplitude))

    def settle(self):
        self.set(0.0)
        h.finitialize(self.rest_mv)
        h.dt = 5.0
        for _ in range(40):
            h.fadvance()
        self.rest = h.SaveState()
        self.rest.save()

    def fires(self, amplitude, width_ms, dt_ms):
        """Whether one pulse brings a spike to the fourth node from either end."""
        self.runs += 1
        if self.rest is None:
            self.settle()
        self.set(0.0)
        h.finitialize(self.rest_mv)
        self.rest.restore()
        h.t = 0.0
        h.dt = dt_ms
        for count in self.counts:
            count.n = 0
        self.set(amplitude)
        left = round(width_ms / dt_ms)
        while left > 0:
            for _ in range(min(left, LOOK)):
                h.fadvance()
            left -= LOOK
            if any(count.n for count in self.counts):
                return True
        self.set(0.0)
        after = 0.0
        while after < self.longest_ms:
            for _ in range(LOOK):
                h.fadvance()
            after += LOOK * dt_ms
            if any(count.n for count in self.counts):
                return True
            if after >= self.quiet_after_ms:
                self.potentials.gather(self.seen)
                if self.seen.max() < self.quiet_mv:
                    return False
        return False

    def threshold(self, width_ms, dt_ms, tolerance, guess, ratio=1.5):
        """The middle of the last bracket; looks up or down by factors first."""
        low, high = 0.0, math.inf
        amplitude = guess
        while low == 0.0 or math.isinf(high):
            if self.fires(amplitude, width_ms, dt_ms):
                high = amplitude
                amplitude /= ratio
            else:
                low = amplitude
                amplitude *= ratio
        while high - low > tolerance * low:
            middle = 0.5 * (low + high)
            if self.fires(middle, width_ms, dt_ms):
                high = middle
            else:
                low = middle
        return 0.5 * (low + high)


class Myelinated(Fibre):
    """Of so many nodes, `z_mm` beside a cathode over the middle node or `shift_um` beyond it, in 0.3 S/m."""

    def __init__(self, sizes, diameter, nodes, z_mm, shift_um=0.0):
        axon, node, spacing, paranode, lamellae, gnaf, gks = geometry(sizes, diameter)
        h.celsius = BODY_C
        self.nodes, self.sections = [], []
        x, middles = 0.0, []

        def section(length, inner, gap, leak):
            nonlocal x
            s = h.Section()
            s.nseg, s.L = 1, length
            at_node = leak is None
            # The sheath's area counts where there is one: inner membrane and axoplasm are scaled to the fibre's diameter.
            s.diam = inner if at_node else diameter
            share = 1.0 if at_node else inner / diameter
            s.Ra = RHO_OHM_CM / share**2
            s.cm = 2.0 * share
            s.insert("extracellular")
            ring = math.pi * ((0.5 * inner + gap) ** 2 - (0.5 * inner) ** 2)
            # Ω cm / µm² = 10⁸ Ω/cm, 100 MΩ/cm.
            s.xraxial[0] = 100.0 * RHO_OHM_CM / ring
            if at_node:
                s.insert("mrg_node")
                s.gnaf_mrg_node, s.gks_mrg_node = gnaf, gks
                s.xg[0], s.xc[0] = 1e10, 0.0
                self.nodes.append(s)
            else:
                s.insert("pas")
                s.g_pas, s.e_pas = leak * share, -80.0
                s.xg[0], s.xc[0] = 0.001 / (2 * lamellae), 0.1 / (2 * lamellae)
            if self.sections:
                s.connect(self.sections[-1](1))
            middles.append(x + 0.5 * length)
            x += length
            self.sections.append(s)

        long = (spacing - 1 - 6 - 2 * paranode) / 6
        for n in range(nodes):
            if n:
                for length, inner, gap, leak in [
                    (3, node, NARROW_UM, 1e-3),
                    (paranode, axon, WIDE_UM, 1e-4),
                    *[(long, axon, WIDE_UM, 1e-4)] * 6,
                    (paranode, axon, WIDE_UM, 1e-4),
                    (3, node, NARROW_UM, 1e-3),
                ]:
                    section(length, inner, gap, leak)
            section(1, node, NARROW_UM, None)

        beside = 11 * (nodes // 2)
        away = np.array(middles) - middles[beside] - shift_um
        segments, active = [s(0.5) for s in self.sections], [s(0.5) for s in self.nodes]
        self.watch(segments, active, (3, nodes - 4), away, z_mm)


class Unmyelinated(Fibre):
    """A C fibre of `membrane` sundt_c or rattay_c, 2 z + 2 mm to either side of the source."""

    quiet_after_ms, longest_ms = 4.0, 60.0

    def __init__(self, membrane, diameter, z_mm, spacing_um):
        h.celsius = BODY_C
        self.rest_mv, self.quiet_mv = (-60.0, -50.0) if membrane == "sundt_c" else (-70.0, -60.0)
        half = round((2 * z_mm + 2) * 1e3 / spacing_um)
        away = round((1.5 * z_mm + 1.5) * 1e3 / spacing_um)
        self.section = s = h.Section()
        s.nseg, s.L, s.diam, s.Ra, s.cm = 2 * half + 1, (2 * half + 1) * spacing_um, diameter, 100.0, 1.0
        s.insert("extracellular")
        s.insert(membrane)
        segments = list(s)
        self.watch(segments, segments, (half - away, half + away), spacing_um * np.arange(-half, half + 1), z_mm)


def extrapolated(fibre, width_ms, steps, tolerance, guess):
    """The threshold for no step, from two steps of which one is twice the other, and both thresholds."""
    found = []
    for dt in steps:
        found.append(fibre.threshold(width_ms, dt, tolerance, found[-1] if found else guess))
    return 2 * found[1] - found[0], found
