//! Closed surfaces of equal value by marching tetrahedra on a regular lattice.

use neurotome_base::Vec3;

use super::lattice::Lattice;

/// A triangle mesh in patient LPS millimetres; triangles run counter-clockwise seen from outside.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Mesh {
    /// Vertices, mm.
    pub positions: Vec<Vec3>,
    /// Unit normals at the vertices, outwards.
    pub normals: Vec<Vec3>,
    /// Vertex indices.
    pub triangles: Vec<[u32; 3]>,
}

impl Mesh {
    /// Adds a vertex.
    pub fn push(&mut self, position: Vec3, normal: Vec3) {
        self.positions.push(position);
        self.normals.push(normal);
    }

    /// Enclosed volume, mm³ (positive for a closed mesh with outward triangles).
    pub fn volume_mm3(&self) -> f64 {
        // Seen from the first vertex, so that millimetres far from the origin cost no digits.
        let Some(&o) = self.positions.first() else { return 0.0 };
        let corner = |i: u32| self.positions[i as usize] - o;
        self.triangles
            .iter()
            .map(|&[a, b, c]| corner(a).dot(&corner(b).cross(&corner(c))) / 6.0)
            .sum()
    }

    /// True when each edge belongs to exactly two triangles that run through it in opposite directions.
    #[cfg(test)]
    pub fn is_closed(&self) -> bool {
        let mut edges = std::collections::BTreeMap::new();
        for t in &self.triangles {
            for (a, b) in [(t[0], t[1]), (t[1], t[2]), (t[2], t[0])] {
                *edges.entry((a, b)).or_insert(0u32) += 1;
            }
        }
        edges
            .iter()
            .all(|(&(a, b), &n)| n == 1 && edges.get(&(b, a)) == Some(&1))
    }
}

/// The six tetrahedra of a cell, all on its main diagonal: corners as bit masks (x = 1, y = 2, z = 4), positive orientation.
const TETRAHEDRA: [[u8; 4]; 6] = [
    [0, 1, 3, 7],
    [0, 3, 2, 7],
    [0, 2, 6, 7],
    [0, 6, 4, 7],
    [0, 4, 5, 7],
    [0, 5, 1, 7],
];

/// For each set of inside corners (bit mask of tetrahedron vertices): an even permutation that puts the inside corners first,
/// or the single outside corner first when three are inside.
const ORDER: [[u8; 4]; 16] = [
    [0, 1, 2, 3],
    [0, 1, 2, 3],
    [1, 0, 3, 2],
    [0, 1, 2, 3],
    [2, 0, 1, 3],
    [0, 2, 3, 1],
    [1, 2, 0, 3],
    [3, 0, 2, 1],
    [3, 0, 2, 1],
    [0, 3, 1, 2],
    [1, 3, 2, 0],
    [2, 0, 1, 3],
    [2, 3, 0, 1],
    [1, 0, 3, 2],
    [0, 1, 2, 3],
    [0, 1, 2, 3],
];

/// The surface where `values` crosses `level`; inside is above. What touches the lattice's border is closed there.
pub(crate) fn isosurface(lattice: &Lattice, values: &[f32], level: f32) -> Mesh {
    let [nx, ny, nz] = lattice.dims;
    let strides = [1, nx, nx * ny];
    let on_border =
        |i: usize, j: usize, k: usize| i == 0 || j == 0 || k == 0 || i + 1 == nx || j + 1 == ny || k + 1 == nz;
    // The border counts as outside, however high the field is there.
    let value = |i: usize, j: usize, k: usize| {
        let v = values[i + nx * (j + ny * k)] - level;
        if on_border(i, j, k) { v.min(-1e-3) } else { v }
    };
    let gradient = |node: usize| {
        let index = [node % nx, node / nx % ny, node / (nx * ny)];
        let mut g = Vec3::zeros();
        for a in 0..3 {
            let up = if index[a] + 1 < lattice.dims[a] {
                node + strides[a]
            } else {
                node
            };
            let down = if index[a] > 0 { node - strides[a] } else { node };
            g[a] = f64::from(values[up] - values[down]);
        }
        g
    };
    let mut mesh = Mesh::default();
    // Vertex on each of the seven edges that start at a node and run to a higher corner of its cell.
    let mut edge_vertex = vec![u32::MAX; values.len() * 7];
    for k in 0..nz.saturating_sub(1) {
        for j in 0..ny.saturating_sub(1) {
            for i in 0..nx.saturating_sub(1) {
                let mut corner = [0.0f32; 8];
                for (c, v) in corner.iter_mut().enumerate() {
                    *v = value(i + (c & 1), j + (c >> 1 & 1), k + (c >> 2));
                }
                let inside = corner.iter().filter(|v| **v > 0.0).count();
                if inside == 0 || inside == 8 {
                    continue;
                }
                let node = |c: u8| {
                    let c = usize::from(c);
                    i + (c & 1) + nx * (j + (c >> 1 & 1) + ny * (k + (c >> 2)))
                };
                let mut vertex = |a: u8, b: u8| -> u32 {
                    let (low, high) = (a.min(b), a.max(b));
                    let slot = node(low) * 7 + usize::from(high - low) - 1;
                    if edge_vertex[slot] == u32::MAX {
                        edge_vertex[slot] = mesh.positions.len() as u32;
                        let (v0, v1) = (corner[usize::from(low)], corner[usize::from(high)]);
                        // Kept off the corners, so that no triangle shrinks to nothing.
                        let t = f64::from(v0 / (v0 - v1)).clamp(0.002, 0.998);
                        let (n0, n1) = (node(low), node(high));
                        let (p0, p1) = (lattice.position_of(n0), lattice.position_of(n1));
                        let g = gradient(n0) * (1.0 - t) + gradient(n1) * t;
                        mesh.positions.push(p0 + (p1 - p0) * t);
                        mesh.normals.push(-g.try_normalize(1e-12).unwrap_or_else(Vec3::z));
                    }
                    edge_vertex[slot]
                };
                for tetrahedron in TETRAHEDRA {
                    let mut mask = 0usize;
                    for (v, &c) in tetrahedron.iter().enumerate() {
                        mask |= usize::from(corner[usize::from(c)] > 0.0) << v;
                    }
                    let [a, b, c, d] = ORDER[mask].map(|v| tetrahedron[usize::from(v)]);
                    match mask.count_ones() {
                        1 => {
                            let t = [vertex(a, b), vertex(a, c), vertex(a, d)];
                            mesh.triangles.push(t);
                        }
                        2 => {
                            let q = [vertex(a, c), vertex(a, d), vertex(b, d), vertex(b, c)];
                            mesh.triangles.push([q[0], q[1], q[2]]);
                            mesh.triangles.push([q[0], q[2], q[3]]);
                        }
                        3 => {
                            let t = [vertex(a, b), vertex(a, d), vertex(a, c)];
                            mesh.triangles.push(t);
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    mesh
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sphere_is_closed_and_has_its_volume() {
        let lattice = Lattice::around(&Vec3::new(-8.0, -7.0, 92.0), &Vec3::new(8.0, 9.0, 108.0), 0.5);
        let center = Vec3::new(0.3, 1.1, 100.2);
        let values = lattice.map(|p| (6.0 - (p - center).norm()) as f32);
        let mesh = isosurface(&lattice, &values, 0.0);
        assert!(mesh.is_closed());
        let exact = 4.0 / 3.0 * std::f64::consts::PI * 216.0;
        assert!((mesh.volume_mm3() / exact - 1.0).abs() < 0.01, "{}", mesh.volume_mm3());
        for (p, n) in mesh.positions.iter().zip(&mesh.normals) {
            assert!(((p - center).normalize()).dot(n) > 0.95, "normals point outwards");
        }
    }

    #[test]
    fn what_reaches_the_border_is_closed_there() {
        let lattice = Lattice::around(&Vec3::zeros(), &Vec3::new(5.0, 5.0, 5.0), 1.0);
        let values = lattice.map(|p| (3.2 - p.x) as f32);
        let mesh = isosurface(&lattice, &values, 0.0);
        assert!(!mesh.triangles.is_empty() && mesh.is_closed());
        assert!(isosurface(&lattice, &values, 50.0).triangles.is_empty());
    }
}
