//! Gradients at cell points as weighted differences to the neighbours.

use neurotome_base::{Vec3, geometry::Mat3};

use super::{Face, Grid, OuterFace};

/// A place beside a cell where the field is known, as the gradient sees it.
#[derive(Debug, Clone, Copy)]
pub enum Link<'a> {
    /// A neighbouring tissue cell, across a face.
    Cell(u32, &'a Face),
    /// The surface of metal.
    Metal(&'a Face),
    /// The outer boundary.
    Outer(&'a OuterFace),
}

impl Grid {
    /// Weights `g` with `∇u ≈ Σ g (u_neighbour − u_cell)` at the point of a tissue cell, 1/m; exact for linear fields (in the
    /// shells: for fields linear along each of their coordinates, and for the potentials of a line and of a point). Links to metal
    /// stand for values on its surface.
    pub fn gradient_weights(&self, cell: u32, links: &[Link]) -> Vec<Vec3> {
        self.shell_weights(cell, links)
            .unwrap_or_else(|| self.least_squares_weights(cell, links))
    }

    fn place_of(&self, link: &Link) -> Vec3 {
        match link {
            Link::Cell(cell, _) => self.center[*cell as usize],
            Link::Metal(face) => self.foot(face),
            Link::Outer(face) => face.foot,
        }
    }

    fn least_squares_weights(&self, cell: u32, links: &[Link]) -> Vec<Vec3> {
        let center = self.center[cell as usize];
        let rows: Vec<Vec3> = links.iter().map(|l| self.place_of(l) - center).collect();
        // Weighted by face area over distance times the part of the way that lies within the cell: on cubes, also at the border,
        // the weights of two cells on a face between add up to its area, as those of its flux do.
        let weight = |l: &Link| match l {
            Link::Cell(_, face) => 0.5 / (face.ra + face.rb),
            Link::Metal(face) => 1.0 / face.ra,
            Link::Outer(face) => 1.0 / face.resistance,
        };
        let mut normal = Mat3::zeros();
        for (row, link) in rows.iter().zip(links) {
            normal += row * row.transpose() * weight(link);
        }
        let inverse = inverse_where_seen(&normal);
        rows.iter()
            .zip(links)
            .map(|(row, link)| inverse * row * weight(link))
            .collect()
    }

    /// Weights along the shells' own coordinates; none for cells that have other neighbours than the six of a regular cell.
    fn shell_weights(&self, cell: u32, links: &[Link]) -> Option<Vec<Vec3>> {
        let s = self.shells_of(cell)?;
        let (j, t, q) = s.index(cell);
        if t == 0 || !s.is_exact(cell) {
            return None;
        }
        let last = s.first + s.tissue_cells() as u32;
        let mut at: [Option<usize>; 6] = [None; 6];
        for (k, link) in links.iter().enumerate() {
            let side = match link {
                Link::Metal(_) => INWARD,
                Link::Cell(other, _) if (s.first..last).contains(other) => {
                    side_of((j, t, q), s.index(*other), s.around)?
                }
                _ => return None,
            };
            if at[side].replace(k).is_some() {
                return None;
            }
        }
        let [
            Some(inward),
            Some(outward),
            Some(down),
            Some(up),
            Some(left),
            Some(right),
        ] = at
        else {
            return None;
        };
        let center = self.center[cell as usize];
        let mut weights = vec![Vec3::zeros(); links.len()];
        let place = |k: usize| self.place_of(&links[k]);

        let way = place(up) - place(down);
        let along = way / way.norm();
        weights[up] += along * (0.5 / (place(up) - center).norm());
        weights[down] -= along * (0.5 / (place(down) - center).norm());

        let round = place(right) - place(left);
        let per_m = round / round.norm_squared();
        weights[right] += per_m;
        weights[left] -= per_m;

        // Across the shells r ∂u/∂r (round the end r² ∂u/∂r) is carried on from face to face, as the flux is.
        let r = s.shell_center(j);
        let across = (s.place(2.0 * r, t, s.angle(q)) - s.place(r, t, s.angle(q))) / r;
        let rounded = t < s.cap();
        let per_difference = |r1: f64, r2: f64| radial_slope(rounded, r1, r2, r);
        let outer = per_difference(r, s.shell_center(j + 1));
        let inner = if j == 0 { s.radius[0] } else { s.shell_center(j - 1) };
        weights[outward] += across * (0.5 * outer);
        weights[inward] -= across * (0.5 * per_difference(inner, r));
        Some(weights)
    }
}

/// The inverse of a cell's normal matrix. Of cells with neighbours on all sides it is nearly that of its volume times one; a direction
/// in which a cell has hardly any neighbour has no gradient.
fn inverse_where_seen(normal: &Mat3) -> Mat3 {
    let mean = normal.trace() / 3.0;
    if normal.determinant() > SEEN * mean.powi(3)
        && let Some(inverse) = normal.try_inverse()
    {
        return inverse;
    }
    let eigen = normal.symmetric_eigen();
    let mut inverse = Mat3::zeros();
    for (value, vector) in eigen.eigenvalues.iter().zip(eigen.eigenvectors.column_iter()) {
        if *value > SEEN * mean {
            inverse += vector * vector.transpose() / *value;
        }
    }
    inverse
}

/// Least weight of the neighbours in a direction, as a part of the mean, for a gradient along it.
const SEEN: f64 = 0.1;

/// ∂u/∂r at `r` for a difference of one between `r1` and `r2`.
fn radial_slope(rounded: bool, r1: f64, r2: f64, r: f64) -> f64 {
    if rounded {
        1.0 / ((1.0 / r1 - 1.0 / r2) * r * r)
    } else {
        1.0 / ((r2 / r1).ln() * r)
    }
}

pub(super) const INWARD: usize = 0;
pub(super) const OUTWARD: usize = 1;
pub(super) const DOWN: usize = 2;
pub(super) const UP: usize = 3;
pub(super) const LEFT: usize = 4;
pub(super) const RIGHT: usize = 5;

/// On which side of a shell cell another lies, when they are neighbours along one coordinate.
pub(super) fn side_of(
    (j, t, q): (usize, usize, usize),
    (jn, tn, qn): (usize, usize, usize),
    around: usize,
) -> Option<usize> {
    let pole = tn == 0;
    if tn == t && qn == q {
        return match jn {
            _ if jn + 1 == j => Some(INWARD),
            _ if jn == j + 1 => Some(OUTWARD),
            _ => None,
        };
    }
    if jn != j {
        return None;
    }
    if pole || qn == q {
        return match tn {
            _ if tn + 1 == t => Some(DOWN),
            _ if tn == t + 1 => Some(UP),
            _ => None,
        };
    }
    match (qn + around - q) % around {
        1 if tn == t => Some(RIGHT),
        d if tn == t && d + 1 == around => Some(LEFT),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Axis, FaceKind, FittedNeedle, Region, Sizing};
    use super::*;

    fn links(grid: &Grid, cell: u32) -> Vec<Link<'_>> {
        grid.faces
            .iter()
            .filter(|f| (f.a == cell || f.b == cell) && f.kind != FaceKind::Metal)
            .map(|face| match face.kind {
                FaceKind::Tissue => Link::Cell(if face.a == cell { face.b } else { face.a }, face),
                _ => Link::Metal(face),
            })
            .collect()
    }

    #[test]
    fn exact_for_linear_fields_outside_the_shells_and_close_within() {
        let axis = Axis::straight(Vec3::new(0.0, 0.0, -5e-3), -Vec3::z(), 0.45e-3);
        let needle = FittedNeedle::rounded(axis, 0.45e-3, 10e-3, 60e-3);
        let region = Region::Sphere {
            center: Vec3::zeros(),
            radius: 50e-3,
        };
        let grid = Grid::new(region, &[needle], &Sizing::default().scaled(1.5), &|_| 0).unwrap();
        let g = Vec3::new(1.0, -2.0, 3.0);
        let u = |p: &Vec3| g.dot(p);
        let mut worst = [0.0f64; 2];
        for cell in (0..grid.tissue_cells as u32).step_by(97) {
            let links = links(&grid, cell);
            let weights = grid.gradient_weights(cell, &links);
            let own = u(&grid.center[cell as usize]);
            let found: Vec3 = links
                .iter()
                .zip(&weights)
                .map(|(l, w)| w * (u(&grid.place_of(l)) - own))
                .sum();
            let in_shells = usize::from(grid.shell_weights(cell, &links).is_some());
            worst[in_shells] = worst[in_shells].max((found - g).norm() / g.norm());
        }
        assert!(worst[0] < 1e-6, "{worst:?}");
        // A linear field is not linear in ln r: second order in the thickness of a shell.
        assert!(worst[1] > 0.0 && worst[1] < 0.12, "{worst:?}");
    }
}
