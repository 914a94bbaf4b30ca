//! Closed contours of a sampled plane by marching squares.

/// Values on a plane, `columns` a row.
#[derive(Debug, Clone)]
pub(crate) struct Grid2 {
    pub columns: usize,
    pub rows: usize,
    pub values: Vec<f32>,
}

impl Grid2 {
    /// Value at a node; far below everything beyond the border, so that contours close there.
    fn at(&self, i: isize, j: isize) -> f32 {
        if i < 0 || j < 0 || i >= self.columns as isize || j >= self.rows as isize {
            f32::MIN / 4.0
        } else {
            self.values[i as usize + self.columns * j as usize]
        }
    }

    /// The field averaged with its neighbours (weights 1 2 1 in both directions), `times` over.
    pub fn smoothed(mut self, times: usize) -> Self {
        let (w, h) = (self.columns, self.rows);
        let mut other = vec![0.0f32; w * h];
        for _ in 0..times {
            for j in 0..h {
                let row = &self.values[j * w..(j + 1) * w];
                for i in 0..w {
                    let (l, r) = (row[i.saturating_sub(1)], row[(i + 1).min(w - 1)]);
                    other[j * w + i] = 0.25 * (l + r) + 0.5 * row[i];
                }
            }
            for j in 0..h {
                let (d, u) = (j.saturating_sub(1) * w, (j + 1).min(h - 1) * w);
                for i in 0..w {
                    self.values[j * w + i] = 0.25 * (other[d + i] + other[u + i]) + 0.5 * other[j * w + i];
                }
            }
        }
        self
    }

    /// Closed loops where the field crosses `level`, in node units.
    pub fn loops(&self, level: f32) -> Vec<Vec<[f64; 2]>> {
        // Cells reach one beyond the border on each side. Edge numbers: horizontal (node to its right) even, vertical odd.
        let w = self.columns as isize + 2;
        let h = self.rows as isize + 2;
        let edge = |i: isize, j: isize, vertical: bool| (((i + 1) + w * (j + 1)) * 2 + isize::from(vertical)) as usize;
        let mut next = vec![u32::MAX; (w * h * 2) as usize];
        let mut starts = Vec::new();
        // Which nodes lie above, with a border of nodes that do not.
        let mut above = vec![0u8; (w * h) as usize];
        for (j, row) in self.values.chunks_exact(self.columns.max(1)).enumerate() {
            let first = (j + 1) * w as usize + 1;
            for (above, v) in above[first..first + self.columns].iter_mut().zip(row) {
                *above = u8::from(*v > level);
            }
        }
        for j in -1..self.rows as isize {
            let first = (w * (j + 1)) as usize;
            let (lower, upper) = above[first..first + 2 * w as usize].split_at(w as usize);
            let cells = lower.windows(2).zip(upper.windows(2));
            for (i, (below, over)) in (-1..self.columns as isize).zip(cells) {
                let mask = below[0] | below[1] << 1 | over[1] << 2 | over[0] << 3;
                if mask == 0 || mask == 15 {
                    continue;
                }
                // Edges of the cell in order: bottom, right, top, left; corner n lies before edge n.
                let edges = [
                    edge(i, j, false),
                    edge(i + 1, j, true),
                    edge(i, j + 1, false),
                    edge(i, j, true),
                ];
                let mut join = |from: usize, to: usize| {
                    next[edges[from]] = edges[to] as u32;
                    starts.push(edges[from]);
                };
                // The inside is on the left: a loop enters a cell where the corner order goes from outside to inside, reversed.
                match mask {
                    1 => join(0, 3),
                    2 => join(1, 0),
                    3 => join(1, 3),
                    4 => join(2, 1),
                    6 => join(2, 0),
                    7 => join(2, 3),
                    8 => join(3, 2),
                    9 => join(0, 2),
                    11 => join(1, 2),
                    12 => join(3, 1),
                    13 => join(0, 1),
                    14 => join(3, 0),
                    _ => {
                        // Two opposite corners inside: the mean decides whether they are joined.
                        let corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)];
                        let joined = corners
                            .map(|(i, j)| (self.at(i, j) - level).max(-1e6))
                            .iter()
                            .sum::<f32>()
                            > 0.0;
                        match (mask == 5, joined) {
                            (true, true) => {
                                join(0, 1);
                                join(2, 3);
                            }
                            (true, false) => {
                                join(0, 3);
                                join(2, 1);
                            }
                            (false, true) => {
                                join(3, 0);
                                join(1, 2);
                            }
                            (false, false) => {
                                join(1, 0);
                                join(3, 2);
                            }
                        }
                    }
                }
            }
        }
        let point = |e: usize| {
            let (node, vertical) = (e / 2, e % 2 == 1);
            let (i, j) = (node as isize % w - 1, node as isize / w - 1);
            let (a, b) = (
                self.at(i, j),
                if vertical { self.at(i, j + 1) } else { self.at(i + 1, j) },
            );
            let t = f64::from((level - a) / (b - a)).clamp(0.0, 1.0);
            if vertical {
                [i as f64, j as f64 + t]
            } else {
                [i as f64 + t, j as f64]
            }
        };
        let mut loops = Vec::new();
        for start in starts {
            if next[start] == u32::MAX {
                continue;
            }
            let mut points = Vec::new();
            let mut e = start;
            while next[e] != u32::MAX {
                points.push(point(e));
                let to = next[e] as usize;
                next[e] = u32::MAX;
                e = to;
            }
            loops.push(points);
        }
        loops
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(f: impl Fn(f64, f64) -> f64) -> Grid2 {
        let values = (0..41 * 31)
            .map(|n| f((n % 41) as f64, (n / 41) as f64) as f32)
            .collect();
        Grid2 {
            columns: 41,
            rows: 31,
            values,
        }
    }

    fn area(l: &[[f64; 2]]) -> f64 {
        (0..l.len())
            .map(|i| {
                let (a, b) = (l[i], l[(i + 1) % l.len()]);
                0.5 * (a[0] * b[1] - a[1] * b[0])
            })
            .sum()
    }

    #[test]
    fn a_disc_gives_one_loop_of_its_area() {
        let loops = grid(|x, y| 9.0 - (x - 20.2).hypot(y - 14.7)).loops(0.0);
        assert_eq!(loops.len(), 1);
        assert!((area(&loops[0]).abs() / (std::f64::consts::PI * 81.0) - 1.0).abs() < 0.005);
    }

    #[test]
    fn a_ring_gives_two_loops_and_a_border_closes() {
        let loops = grid(|x, y| 3.0 - ((x - 20.0).hypot(y - 15.0) - 9.0).abs()).loops(0.0);
        assert_eq!(loops.len(), 2);
        assert!(
            area(&loops[0]) * area(&loops[1]) < 0.0,
            "inner and outer run in opposite directions"
        );
        let half = grid(|x, _| 10.3 - x).loops(0.0);
        assert_eq!(half.len(), 1);
        assert!((area(&half[0]).abs() - 10.3 * 30.0).abs() < 1e-2 * 310.0 + 32.0);
    }

    #[test]
    fn a_saddle_does_not_break_loops() {
        let loops = grid(|x, y| ((x * 0.7).sin() * (y * 0.9).cos()) - 0.01).loops(0.0);
        assert!(loops.len() > 10 && loops.iter().all(|l| l.len() >= 3));
    }
}
