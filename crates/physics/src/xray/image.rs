//! Pictures of the detector.

/// Values on the pixels of a detector, column fastest: `data[column + columns * row]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Pixels along a row.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// The values.
    pub data: Vec<f32>,
}

impl Image {
    /// An image of one value.
    pub fn filled(columns: usize, rows: usize, value: f32) -> Self {
        Self {
            columns,
            rows,
            data: vec![value; columns * rows],
        }
    }

    /// The value of a pixel, or none outside.
    pub fn get(&self, column: usize, row: usize) -> Option<f32> {
        (column < self.columns && row < self.rows).then(|| self.data[column + self.columns * row])
    }

    /// The lowest and highest value; of an empty image infinities the wrong way round.
    pub fn range(&self) -> [f32; 2] {
        self.data
            .iter()
            .fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], v| {
                [low.min(*v), high.max(*v)]
            })
    }

    /// The values below which these fractions of the pixels lie (nearest rank); NaN for an empty image.
    pub fn quantiles<const N: usize>(&self, fractions: [f64; N]) -> [f32; N] {
        if self.data.is_empty() {
            return [f32::NAN; N];
        }
        let mut sorted = self.data.clone();
        sorted.sort_unstable_by(f32::total_cmp);
        let last = (sorted.len() - 1) as f64;
        fractions.map(|f| sorted[(f.clamp(0.0, 1.0) * last).round() as usize])
    }
}
