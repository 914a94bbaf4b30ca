"""Sample points round a needle on the z axis, and the size of the region above a level on them. Lengths in mm."""

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator


class Samples:
    """Rays outward from the radius `a` (angle, z, r) and columns down from the rounded end (angle, r, depth).

    `angles` over [0, pi] when the plane y = 0 mirrors; a single angle means rotational symmetry.
    """

    def __init__(self, a, tip_z, angles, r_max=10.0, low=-13.0, high=13.0, fine=((-7, -4), (4.4, 8))):
        self.a, self.tip_z, self.angles = a, tip_z, np.asarray(angles, float)
        r, h = [a], 0.04
        while r[-1] < r_max:
            r.append(r[-1] + h)
            h *= 1.05
        self.r = np.array(r)
        z, at = [low], low
        while at < high - 1e-9:
            at = round(at + (0.1 if any(f - 1e-9 <= at < t - 1e-9 for f, t in fine) else 0.2), 6)
            z.append(at)
        self.z = np.array(z)
        self.cap_r = a * np.array([0, 0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 0.96, 1.0])
        depth, h = [0.0], 0.04
        while depth[-1] < tip_z - low:
            depth.append(depth[-1] + h)
            h *= 1.05
        self.depth = np.array(depth[:-1])
        surface = tip_z + a - np.sqrt(np.maximum(a**2 - self.cap_r**2, 0))
        self.cap_z = surface[:, None] - self.depth[None, :]
        ray = np.broadcast_arrays(self.angles[:, None, None], self.z[None, :, None], self.r[None, None, :])
        cap = np.broadcast_arrays(self.angles[:, None, None], self.cap_z[None], self.cap_r[None, :, None])
        self.shapes = ray[0].shape, cap[0].shape
        t, z, r = (np.concatenate([x.ravel(), y.ravel()]) for x, y in zip(ray, cap))
        self.polar = np.column_stack([t, z, r])

    def cartesian(self):
        t, z, r = self.polar.T
        return np.column_stack([r * np.cos(t), np.maximum(r * np.sin(t), 0.0), z])

    def half_plane(self):
        return self.polar[:, [2, 1]]

    def region(self, values, level):
        """Reach, lengths and volume of the tissue where `values` >= `level`; None where there is none."""
        split = np.prod(self.shapes[0])
        rays, caps = values[:split].reshape(self.shapes[0]), values[split:].reshape(self.shapes[1])
        fine_r, rays_r = refine(self.r, rays, 6)
        area = inside_moment(fine_r, rays_r - level)
        reach = outermost(fine_r, rays_r - level)
        ring = (lambda f: f[0] * 2 * np.pi) if len(self.angles) == 1 else (lambda f: 2 * np.trapezoid(f, self.angles, axis=0))
        fine_d, caps_d = refine(self.depth, caps, 6)
        length = inside_length(fine_d, caps_d - level)
        below = np.trapezoid(length * self.cap_r, self.cap_r, axis=-1)
        volume = float(ring(np.trapezoid(area, self.z, axis=1)) + ring(below))
        if not np.isfinite(reach).any():
            across = ("width",) if len(self.angles) == 1 else ("xp", "xm", "width_x", "width_y")
            return dict.fromkeys((*across, "zmin", "zmax", "length")) | {"volume": volume}
        columns = np.moveaxis(rays, 1, 2)
        fine_z, columns_z = refine(self.z, columns, 6)
        high = np.nanmax(outermost(fine_z, columns_z - level))
        low = -np.nanmax(outermost(-fine_z[::-1], columns_z[..., ::-1] - level))
        surface = self.cap_z[:, 0]
        cap_low = np.nanmin(np.append(surface - outermost(fine_d, caps_d - level), np.inf))
        low = min(low, cap_low)
        if len(self.angles) == 1:
            width = 2 * peak(self.z, reach[0])
            return {"width": width, "zmin": float(low), "zmax": float(high), "length": float(high - low), "volume": volume}
        xp, xm = peak(self.z, reach[0]), peak(self.z, reach[-1])
        return {
            "xp": xp,
            "xm": xm,
            "width_x": None if xp is None or xm is None else xp + xm,
            "width_y": 2 * sideways(self.angles, self.z, reach),
            "zmin": float(low),
            "zmax": float(high),
            "length": float(high - low),
            "volume": volume,
        }


def refine(x, values, parts):
    """Values between the samples, by a cubic that makes no new extrema."""
    fine = np.concatenate([np.linspace(p, q, parts, endpoint=False) for p, q in zip(x[:-1], x[1:])] + [x[-1:]])
    return fine, PchipInterpolator(x, values, axis=-1)(fine)


def crossing(x, f):
    """Place of the zero in each interval, and whether each end lies above."""
    left, right = f[..., :-1], f[..., 1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        at = x[:-1] + np.diff(x) * left / (left - right)
    return at, left >= 0, right >= 0


def outermost(x, f):
    """Largest x where f changes from positive to negative; nan where it does not."""
    at, left, right = crossing(x, f)
    place = np.where(left & ~right, at, -np.inf).max(-1)
    return np.where(np.isfinite(place), place, np.nan)


def inside_pieces(x, f):
    at, left, right = crossing(x, f)
    lower = np.where(left, x[:-1], at)
    upper = np.where(right, x[1:], at)
    return lower, upper, left | right


def inside_moment(x, f):
    lower, upper, some = inside_pieces(x, f)
    return np.where(some, (upper**2 - lower**2) / 2, 0.0).sum(-1)


def inside_length(x, f):
    lower, upper, some = inside_pieces(x, f)
    return np.where(some, upper - lower, 0.0).sum(-1)


def peak(x, f):
    """The largest value of a smooth sampled curve, by the parabola through its three largest neighbours."""
    if not np.isfinite(f).any():
        return None
    i = int(np.nanargmax(f))
    best = float(f[i])
    if 0 < i < len(f) - 1 and np.isfinite(f[i - 1]) and np.isfinite(f[i + 1]):
        c = np.polyfit(x[i - 1 : i + 2] - x[i], f[i - 1 : i + 2], 2)
        if c[0] < 0 and abs(c[1] / (2 * c[0])) <= max(x[i + 1] - x[i], x[i] - x[i - 1]):
            best = float(c[2] - c[1] ** 2 / (4 * c[0]))
    return best


def sideways(angles, z, reach):
    """Largest y = R sin(angle), with R a spline over the angles that is even at both ends."""
    fine = np.linspace(0, np.pi, 361)
    side = np.full((len(fine), len(z)), np.nan)
    for j in range(len(z)):
        if np.isfinite(reach[:, j]).all():
            side[:, j] = CubicSpline(angles, reach[:, j], bc_type="clamped")(fine) * np.sin(fine)
    if not np.isfinite(side).any():
        return float(np.nanmax(reach * np.sin(angles)[:, None]))
    row = int(np.nanargmax(np.nanmax(np.where(np.isfinite(side), side, -1), axis=1)))
    return peak(z, side[row])
