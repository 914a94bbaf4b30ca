"""RTK's Joseph projector beside ours on the phantoms of validation/xray, in turn on the same machine.

    python3 benches/peers/projection.py [--runs N] [--limit S] [--pixels 512] [--only blobs]

Makes a virtual environment below target/peers-projection and installs itk-rtk there; builds our bench. RTK splits work over projections, so
that one frame runs on one thread: both are measured on one thread, in seconds of processor. Each program has a process of its own for each
case, with a limit of time (`--limit`, 120 s, of one case): what takes longer is a row that says so, and the others go on. RTK takes four
frames of 512² and three of 1024², ours ten. A row is printed, and the table in target/bench/projection.md written anew, as soon as it is
measured. No gate.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import time
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
FOLDER = TARGET / "peers-projection"
TABLE = TARGET / "bench" / "projection.md"
REQUIREMENTS = ["itk-rtk==2.7.0.post1", "numpy==2.4.6"]
SIDE = 256
# Frames that RTK takes of a picture of so many pixels.
FRAMES = {512: 4, 1024: 3}
PHANTOMS = ["blobs", "solids"]
OURS, RTK = "Neurotome", "RTK Joseph"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2, help="rounds over all cases (2)")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for one program on one case (120)")
    parser.add_argument("--pixels", type=int, action="append", choices=list(FRAMES), help="512 or 1024; both by default")
    parser.add_argument("--only", action="append", choices=PHANTOMS, help="a phantom; both by default")
    asked = parser.parse_args()
    python, bench = prepare()
    rows = {}
    for round_ in range(asked.runs):
        for pixels in asked.pixels or FRAMES:
            for phantom in asked.only or PHANTOMS:
                for program, command in [
                    (OURS, [bench, "times", str(pixels), phantom, "1"]),
                    (RTK, [python, __file__, "rtk", phantom, str(pixels)]),
                ]:
                    start = time.monotonic()
                    found = measured(program, command, asked.limit)
                    rows.setdefault((phantom, pixels, program), []).append(found)
                    write(rows)
                    said = f"{found[0]:.3f} CPU s a frame, RMS {found[1]:.4f} %" if found else f"more than {asked.limit:.0f} s"
                    wall = time.monotonic() - start
                    print(f"run {round_ + 1}: {phantom} {SIDE}³, {pixels}², {program}: {said} ({wall:.0f} s in all)", flush=True)
    print(TABLE.read_text())


def prepare():
    """The Python that has RTK, and our bench, built; each is told before it begins, since the first time takes minutes."""
    python = FOLDER / "bin" / "python"
    if not python.exists():
        print(f"making {FOLDER}", flush=True)
        venv.create(FOLDER, with_pip=True)
    if subprocess.run([python, "-c", "from itk import RTK"], capture_output=True).returncode != 0:
        print("installing", *REQUIREMENTS, flush=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True)
    print("building our bench", flush=True)
    build = ["cargo", "bench", "--package", "neurotome-physics", "--bench", "projection", "--no-run", "--message-format", "short"]
    done = subprocess.run(build, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{done.stderr}\nour bench does not build")
    told = done.stderr
    bench = re.search(r"Executable .*\((.+)\)", told).group(1)
    return python, ROOT / bench


def measured(program, command, limit_s):
    """CPU seconds a frame and the error; none beyond the limit."""
    try:
        text = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=limit_s).stdout
    except subprocess.TimeoutExpired:
        return None
    if program == RTK:
        cpu, rms = text.split()[-2:]
        return float(cpu), float(rms)
    cpu, rms = re.search(r"CPU ([\d.]+) ms.*?\n.*?rms ([\d.]+) %", text).groups()
    return float(cpu) / 1e3, float(rms)


def write(rows):
    """The table of what has been measured so far."""
    lines = [
        "| phantom | pixels | program | CPU s a frame (median, n) | RMS error, % of maximum | × ours |",
        "| --- | ---: | --- | ---: | ---: | ---: |",
    ]
    for (phantom, pixels, program), found in rows.items():
        case = f"| {phantom} {SIDE}³ | {pixels}² | {program} |"
        whole = [f for f in found if f]
        if not whole:
            lines.append(f"{case} beyond the limit | – | – |")
            continue
        cpu, rms = median([f[0] for f in whole]), whole[0][1]
        ours = [f[0] for f in rows.get((phantom, pixels, OURS), []) if f]
        ratio = f"{cpu / median(ours):.1f}" if ours else "–"
        lines.append(f"{case} {cpu:.3f} ({len(whole)}) | {rms:.4f} | {ratio} |")
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text("\n".join(lines) + "\n")


def median(values):
    """The middle one; the mean of the two middle ones where there are two."""
    values = sorted(values)
    return (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2


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
    """CPU seconds of one frame, the median of some, and the error over the first three (every pixel)."""
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
    for k in range(FRAMES[pixels]):
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
    """As cargo's bench samples them: blobs at the middles of the voxels, solids as means of 5³ places."""
    line = np.arange(SIDE) + 0.5 - SIDE / 2
    total = np.zeros([SIDE] * 3, np.float32)
    if name == "blobs":
        for a, centre, s in BLOBS:
            x, y, z = [np.exp(-((line - c) ** 2) / (2 * s * s)) for c in centre]
            total += (a * z[:, None, None] * (y[:, None] * x)).astype(np.float32)
        return total

    def add(mu, low, high, inside):
        """Within a box, which saves most of the work."""
        of = [slice(*np.searchsorted(line, [l - 1, h + 1])) for l, h in zip(low, high)]
        x, y, z = line[of[0]], line[of[1]][:, None], line[of[2]][:, None, None]
        share = np.zeros((z.size, y.size, x.size), np.float32)
        shifts = (np.arange(5) - 2) / 5
        for dx in shifts:
            for dy in shifts:
                for dz in shifts:
                    share += inside(x + dx, y + dy, z + dz)
        total[of[2], of[1], of[0]] += np.float32(mu) * share / np.float32(125)

    for mu, centre, half in ELLIPSOIDS:
        low, high = np.subtract(centre, half), np.add(centre, half)
        add(mu, low, high, lambda *at: sum(((q - c) / h) ** 2 for q, c, h in zip(at, centre, half)) <= 1)
    for mu, a, b, r in CYLINDERS:
        length = np.linalg.norm(np.subtract(b, a))
        axis = np.subtract(b, a) / length

        def inside(*at):
            along = sum((q - c) * n for q, c, n in zip(at, a, axis))
            across = sum((q - c) ** 2 for q, c in zip(at, a)) - along**2
            return (along >= 0) & (along <= length) & (across <= r * r)

        add(mu, np.minimum(a, b) - r, np.maximum(a, b) + r, inside)
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
