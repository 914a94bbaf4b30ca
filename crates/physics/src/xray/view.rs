//! Where source and detector are.

use neurotome_base::{Affine, PatientPoint, Point, Vec3, geometry::Voxel};

/// Most pixels along a side of a detector.
pub const MAX_SIDE: usize = 8192;

/// Why a view or a projection is refused.
#[derive(Debug, Clone, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum ViewError {
    /// No pixels, or absurdly many.
    #[error("projection: a detector of {columns} × {rows} pixels; expected 1 to {MAX_SIDE} along each side")]
    Pixels {
        /// Pixels along a row.
        columns: usize,
        /// Rows.
        rows: usize,
    },
    /// A coordinate is not finite, the steps do not span a plane, or the source lies in the detector's plane.
    #[error(
        "projection: source {source_mm:?} and detector at {first_mm:?} with steps {column_step_mm:?} and {row_step_mm:?} mm make no view; expected finite steps that span a plane with the source away from it"
    )]
    Degenerate {
        /// Source, mm.
        source_mm: [f64; 3],
        /// First pixel, mm.
        first_mm: [f64; 3],
        /// Step to the next column, mm.
        column_step_mm: [f64; 3],
        /// Step to the next row, mm.
        row_step_mm: [f64; 3],
    },
    /// The source is in the volume.
    #[error(
        "projection: the source at {source_mm:?} mm (LPS) lies inside the image volume; move the source away or crop the volume to the patient"
    )]
    SourceInside {
        /// Source, mm.
        source_mm: [f64; 3],
    },
    /// No axis of the volume is crossed forward by all rays.
    #[error(
        "projection: the rays diverge too widely for the volume's axes; expected a detector seen under less than about 90° from the source"
    )]
    TooWide,
    /// A side of the volume is too long.
    #[error("projection: a volume of {side} voxels along one side; expected fewer than 32768; crop or resample it")]
    Side {
        /// Voxels along that side.
        side: usize,
    },
    /// A voxel holds no number.
    #[error("projection: voxel {index:?} of the volume is {value}; expected finite values; mend or crop the image")]
    NotFinite {
        /// Index of the first such voxel.
        index: [usize; 3],
        /// Its value.
        value: f32,
    },
}

/// A point source and a flat detector, in patient LPS millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// The source.
    pub source_mm: Vec3,
    /// Middle of the pixel in column 0, row 0.
    pub first_mm: Vec3,
    /// From one column to the next.
    pub column_step_mm: Vec3,
    /// From one row to the next.
    pub row_step_mm: Vec3,
    /// Pixels along a row.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
}

impl View {
    /// Checks that the view can be used.
    ///
    /// # Errors
    /// [`ViewError::Pixels`], [`ViewError::Degenerate`].
    pub fn check(&self) -> Result<(), ViewError> {
        if !((1..=MAX_SIDE).contains(&self.columns) && (1..=MAX_SIDE).contains(&self.rows)) {
            return Err(ViewError::Pixels {
                columns: self.columns,
                rows: self.rows,
            });
        }
        let normal = self.column_step_mm.cross(&self.row_step_mm);
        let area = self.column_step_mm.norm() * self.row_step_mm.norm();
        let distance = (self.first_mm - self.source_mm).dot(&normal).abs() / normal.norm();
        // Not finite comes out as not greater.
        if normal.norm() > 1e-6 * area && distance > 1e-6 && distance.is_finite() {
            Ok(())
        } else {
            Err(ViewError::Degenerate {
                source_mm: self.source_mm.into(),
                first_mm: self.first_mm.into(),
                column_step_mm: self.column_step_mm.into(),
                row_step_mm: self.row_step_mm.into(),
            })
        }
    }

    /// The place of a pixel, mm; whole numbers are the middles of pixels.
    pub fn pixel_mm(&self, column: f64, row: f64) -> Vec3 {
        self.first_mm + self.column_step_mm * column + self.row_step_mm * row
    }

    /// Column and row at which a point is seen; none behind the source or level with it.
    pub fn project(&self, p: &PatientPoint) -> Option<[f64; 2]> {
        let normal = self.column_step_mm.cross(&self.row_step_mm);
        let ray = p.vec() - self.source_mm;
        let reach = (self.first_mm - self.source_mm).dot(&normal) / ray.dot(&normal);
        if !(reach > 0.0 && reach.is_finite()) {
            return None;
        }
        let on = self.source_mm + ray * reach - self.first_mm;
        let area = normal.norm_squared();
        Some([
            on.cross(&self.row_step_mm).dot(&normal) / area,
            self.column_step_mm.cross(&on).dot(&normal) / area,
        ])
    }

    /// Unit vector from the source through a pixel.
    pub fn direction(&self, column: f64, row: f64) -> Vec3 {
        (self.pixel_mm(column, row) - self.source_mm).normalize()
    }

    /// The view in the continuous voxel indices of a volume: straight lines stay straight.
    pub(super) fn in_voxels(&self, affine: &Affine) -> View {
        let place = |v: Vec3| affine.to_voxel(&Point::from_vec(v)).vec();
        let origin = place(Vec3::zeros());
        View {
            source_mm: place(self.source_mm),
            first_mm: place(self.first_mm),
            column_step_mm: place(self.column_step_mm) - origin,
            row_step_mm: place(self.row_step_mm) - origin,
            ..*self
        }
    }

    /// Fails when the source lies where a volume is.
    pub(super) fn check_outside(&self, dims: [usize; 3], affine: &Affine) -> Result<(), ViewError> {
        let p: Point<Voxel> = affine.to_voxel(&Point::from_vec(self.source_mm));
        if (0..3).all(|a| p.xyz[a] > -1.0 && p.xyz[a] < dims[a] as f64) {
            return Err(ViewError::SourceInside {
                source_mm: self.source_mm.into(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> View {
        View {
            source_mm: Vec3::new(3.0, -650.0, 7.0),
            first_mm: Vec3::new(150.0, 350.0, 140.0),
            column_step_mm: Vec3::new(-0.6, 0.01, 0.02),
            row_step_mm: Vec3::new(0.03, 0.0, -0.6),
            columns: 512,
            rows: 480,
        }
    }

    #[test]
    fn a_point_on_a_ray_is_seen_in_its_pixel() {
        let view = view();
        for [c, r] in [[0.0, 0.0], [100.25, 333.5], [511.0, 479.0]] {
            let p = view.source_mm + view.direction(c, r) * 612.0;
            let [column, row] = view.project(&Point::from_vec(p)).unwrap();
            assert!((column - c).abs() < 1e-9 && (row - r).abs() < 1e-9, "{column} {row}");
        }
        assert_eq!(view.project(&Point::new(0.0, -700.0, 0.0)), None);
    }

    #[test]
    fn views_without_a_plane_are_refused() {
        assert_eq!(view().check(), Ok(()));
        let bad = [
            View { columns: 0, ..view() },
            View {
                rows: 100_000,
                ..view()
            },
            View {
                row_step_mm: view().column_step_mm,
                ..view()
            },
            View {
                source_mm: view().first_mm,
                ..view()
            },
            View {
                source_mm: Vec3::new(f64::NAN, 0.0, 0.0),
                ..view()
            },
        ];
        for view in bad {
            assert!(view.check().is_err(), "{view:?}");
        }
    }
}
