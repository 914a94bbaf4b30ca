"""RTK's Joseph projector beside ours on the phantoms of validation/xray, in turn on the same machine.

    python3 benches/peers/projection.py [--runs N]

Makes a virtual environment below target/peers-projection and installs itk-rtk there; builds our bench. RTK splits work over projections, so
that one frame runs on one thread: both are measured on one thread, in seconds of processor. Prints a table and writes it to
target/bench/projection.md. No gate.
"""

import os
import pathlib
import re
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
FOLDER = TARGET / "peers-projection"
REQUIREMENTS = ["itk-rtk==2.7.0.post1", "numpy==2.4.6"]
SIDE = 256
PIXELS = [512, 1024]
PHANTOMS = ["blobs", "solids"]


def main():
    runs = int(sys.argv[sys.argv.index("--runs") + 1]) if "--runs" in sys.argv else 2
    python = FOLDER / "bin" / "python"
    if not python.exists():
        venv.create(FOLDER, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True)
    bench = ["cargo", "bench", "--quiet", "--package", "neurotome-physics", "--bench", "projection"]
    subprocess.run([*bench, "--no-run"], cwd=ROOT, check=True)
    rows = {}
    for _ in range(runs):
        for pixels in PIXELS:
            text = output([*bench, "--", "times", str(pixels)])
            for name, cpu, rms in re.findall(r"(\w+) \d+\^3, \d+\^2, 1 thread.*?CPU ([\d.]+) ms.*?\n.*?rms ([\d.]+) %", text):
                rows.setdefault((name, pixels, "Neurotome"), []).append((float(cpu) / 1e3, float(rms)))
            for name in PHANTOMS:
                cpu, rms = map(float, output([python, __file__, "rtk", name, str(pixels)]).split()[-2:])
                rows.setdefault((name, pixels, "RTK Joseph"), []).append((cpu, rms))
    lines = [
        "| phantom | pixels | program | CPU s a frame (median) | RMS error, % of maximum | × ours |",
        "| --- | ---: | --- | ---: | ---: | ---: |",
    ]
    for (name, pixels, program), found in rows.items():
        cpu, rms = median([f[0] for f in found]), found[0][1]
        ours = median([f[0] for f in rows[name, pixels, "Neurotome"]])
        lines.append(f"| {name} {SIDE}³ | {pixels}² | {program} | {cpu:.3f} | {rms:.4f} | {cpu / ours:.1f} |")
    table = "\n".join(lines) + "\n"
    print(table)
    (TARGET / "bench").mkdir(parents=True, exist_ok=True)
    (TARGET / "bench" / "projection.md").write_text(table)


def output(command):
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def median(values):
    return sorted(values)[len(values) // 2]


BLOBS = [
    (0.030, (0, 0, 0), 26),
    (0.030, (25, -18, 12), 6),
    (0.030, (-30, 22, -15), 9),
    (0.060, (8, 30, 20), 3),
    (-0.010, (-10, -35, 5), 12),
]
ELLIPSOIDS = [
    (0.020, (0, 0, 0), (110, 80, 100)),
    (0.040, (40, 10, 20), (6, 6, 6)),
    (-0.020, (-50, 20, -20), (15, 15, 15)),
    (0.030, (10, 40, -40), (12, 5, 20)),
]
CYLINDERS = [(0.020, (0, -25, -14), (0, -25, 14), 22), (0.040, (-35, -5, 0), (35, -5, 4), 5)]


def rtk(name, pixels):
    """CPU seconds of one frame, the median of ten, and the error over the first three (at 512² or finer, every pixel)."""
    import time

    import itk
    import numpy as np
    from itk import RTK

    itk.MultiThreaderBase.SetGlobalMaximumNumberOfThreads(1)
    itk.MultiThreaderBase.SetGlobalDefaultNumberOfThreads(1)
    kind = itk.Image[itk.F, 3]
    volume = itk.image_from_array(np.ascontiguousarray(voxels(np, name)))
    volume.SetSpacing([1.0] * 3)
    volume.SetOrigin([0.5 - SIDE / 2] * 3)
    cpu, square, highest = [], [], 0.0
    p = 300 / pixels
    for k in range(10):
        t, f = np.radians(7 + 36 * k), np.radians((0, 12, -12, 20, -20)[k % 5])
        d = np.array([np.cos(f) * np.cos(t), np.cos(f) * np.sin(t), np.sin(f)])
        u = np.array([-np.sin(t), np.cos(t), 0.0])
        v = np.cross(d, u)
        v = -v if v[2] < 0 else v
        source, centre = -650 * d, 350 * d
        geometry = RTK.ThreeDCircularProjectionGeometry.New()
        vector = lambda x: itk.Vector[itk.D, 3]([float(c) for c in x])
        point = lambda x: itk.Point[itk.D, 3]([float(c) for c in x])
        assert geometry.AddProjection(point(source), point(centre), vector(u), vector(v))
        stack = itk.image_from_array(np.zeros((1, pixels, pixels), np.float32))
        stack.SetSpacing([p, p, 1.0])
        stack.SetOrigin([(0.5 - pixels / 2) * p] * 2 + [0.0])
        projector = RTK.JosephForwardProjectionImageFilter[kind, kind].New()
        projector.SetInput(0, stack)
        projector.SetInput(1, volume)
        projector.SetGeometry(geometry)
        start = time.process_time()
        projector.Update()
        cpu.append(time.process_time() - start)
        if k < 3:
            image = itk.array_view_from_image(projector.GetOutput())[0]
            c = (np.arange(pixels) + 0.5 - pixels / 2) * p
            rays = centre + c[None, :, None] * u + c[:, None, None] * v - source
            true = exact(np, name, source, rays / np.linalg.norm(rays, axis=2, keepdims=True))
            square.append(np.mean((image - true) ** 2))
            highest = max(highest, true.max())
    print(median(cpu), 100 * np.mean(square) ** 0.5 / highest)


def voxels(np, name):
    """As cargo's bench samples them: the middles of the voxels."""
    z, y, x = np.meshgrid(*[np.arange(SIDE) + 0.5 - SIDE / 2] * 3, indexing="ij", sparse=True)
    at = [x, y, z]
    total = np.zeros([SIDE] * 3, np.float32)
    if name == "blobs":
        for a, centre, s in BLOBS:
            total += a * np.exp(-sum((q - c) ** 2 for q, c in zip(at, centre)) / (2 * s * s))
        return total
    for mu, centre, half in ELLIPSOIDS:
        total += mu * (sum(((q - c) / h) ** 2 for q, c, h in zip(at, centre, half)) <= 1)
    for mu, a, b, r in CYLINDERS:
        axis = np.subtract(b, a) / np.linalg.norm(np.subtract(b, a))
        along = sum((q - c) * n for q, c, n in zip(at, a, axis))
        across = sum((q - c) ** 2 for q, c in zip(at, a)) - along**2
        total += mu * ((along >= 0) & (along <= np.linalg.norm(np.subtract(b, a))) & (across <= r * r))
    return total


def exact(np, name, source, d):
    """Line integrals along unit vectors d."""
    if name == "blobs":
        total = 0
        for a, centre, s in BLOBS:
            away = np.sum(np.cross(np.subtract(centre, source), d) ** 2, axis=2)
            total = total + a * s * np.sqrt(2 * np.pi) * np.exp(-away / (2 * s * s))
        return total
    total = np.zeros(d.shape[:2])
    for mu, centre, half in ELLIPSOIDS:
        o, e = np.subtract(source, centre) / half, d / half
        a, b, c = np.sum(e * e, axis=2), e @ o, o @ o - 1
        total += mu * 2 * np.sqrt(np.maximum(b * b - a * c, 0)) / a
    for mu, p, q, r in CYLINDERS:
        length = np.linalg.norm(np.subtract(q, p))
        n = np.subtract(q, p) / length
        o = np.subtract(source, p)
        along, speed = o @ n, d @ n
        ow, dw = o - along * n, d - speed[..., None] * n
        a, b, c = np.sum(dw * dw, axis=2), dw @ ow, ow @ ow - r * r
        root = np.sqrt(np.maximum(b * b - a * c, 0))
        s0, s1 = -along / speed, (length - along) / speed
        first = np.maximum((-b - root) / a, np.minimum(s0, s1))
        last = np.minimum((-b + root) / a, np.maximum(s0, s1))
        total += mu * np.where(b * b > a * c, np.maximum(last - first, 0), 0)
    return total


if __name__ == "__main__":
    if sys.argv[1:2] == ["rtk"]:
        rtk(sys.argv[2], int(sys.argv[3]))
    else:
        main()
