//! From the detector's signal to the screen.

use neurotome_physics::xray::Image;
use rayon::prelude::*;

use super::{Display, Picture, Window};

/// Shown quantity of black and of white.
pub(super) fn window(display: &Display, range: [f64; 2]) -> [f64; 2] {
    let quantity = |v: f64| if display.logarithmic { -v.max(1e-6).ln() } else { v };
    let [bright, dark] = match display.window {
        Window::Automatic => range.map(quantity),
        // Dense tissue is high in the logarithm and low in the signal.
        Window::Fixed { level, width } if display.logarithmic => [level - 0.5 * width, level + 0.5 * width],
        Window::Fixed { level, width } => [level + 0.5 * width, level - 0.5 * width],
    };
    if display.inverted {
        [bright, dark]
    } else {
        [dark, bright]
    }
}

pub(super) fn show(
    signal: &Image,
    display: &Display,
    [black, white]: [f64; 2],
    open: &[std::ops::Range<usize>; 2],
) -> Picture {
    let scale = if white == black {
        0.0
    } else {
        (255.0 / (white - black)) as f32
    };
    let black = black as f32;
    let columns = signal.columns;
    let mut grey = vec![0u8; signal.data.len()];
    grey.par_chunks_mut(columns)
        .zip(signal.data.par_chunks(columns))
        .enumerate()
        .filter(|(row, _)| open[1].contains(row))
        .for_each(|(_, (grey, row))| {
            for (grey, v) in grey[open[0].clone()].iter_mut().zip(&row[open[0].clone()]) {
                let quantity = if display.logarithmic { -v.max(1e-6).ln() } else { *v };
                *grey = ((quantity - black) * scale + 0.5).clamp(0.0, 255.0) as u8;
            }
        });
    Picture {
        columns,
        rows: signal.rows,
        grey,
    }
}
