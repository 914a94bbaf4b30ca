//! Blurring of pictures by a Gaussian.

use rayon::prelude::*;

use super::Image;

/// Blurs by a Gaussian of a standard deviation in pixels, cut at three deviations; beyond the edge the edge's value holds.
///
/// Deviations below 0.1 pixel leave the picture as it is.
pub fn blur(image: &mut Image, sigma_pixels: f64) {
    if sigma_pixels.is_nan() || sigma_pixels < 0.1 || image.data.is_empty() {
        return;
    }
    let weights = weights(sigma_pixels);
    let reach = weights.len() - 1;
    let (columns, rows) = (image.columns, image.rows);
    let mut across = vec![0.0f32; image.data.len()];
    across
        .par_chunks_mut(columns)
        .zip(image.data.par_chunks(columns))
        .for_each_init(Vec::new, |padded: &mut Vec<f32>, (out, row)| {
            padded.clear();
            padded.resize(reach, row[0]);
            padded.extend_from_slice(row);
            padded.resize(columns + 2 * reach, row[columns - 1]);
            for (out, centre) in out.iter_mut().zip(&padded[reach..]) {
                *out = weights[0] * centre;
            }
            for (k, w) in weights.iter().enumerate().skip(1) {
                let sides = padded[reach - k..].iter().zip(&padded[reach + k..]);
                for (out, (a, b)) in out.iter_mut().zip(sides) {
                    *out += w * (a + b);
                }
            }
        });
    image.data.par_chunks_mut(columns).enumerate().for_each(|(row, out)| {
        let line = |r: usize| &across[r * columns..(r + 1) * columns];
        for (out, centre) in out.iter_mut().zip(line(row)) {
            *out = weights[0] * centre;
        }
        for (k, w) in weights.iter().enumerate().skip(1) {
            let sides = line(row.saturating_sub(k)).iter().zip(line((row + k).min(rows - 1)));
            for (out, (a, b)) in out.iter_mut().zip(sides) {
                *out += w * (a + b);
            }
        }
    });
}

/// Weights at 0, 1, 2 … pixels; those on both sides add to one.
fn weights(sigma: f64) -> Vec<f32> {
    let reach = (3.0 * sigma).ceil() as usize;
    let raw: Vec<f64> = (0..=reach).map(|k| (-0.5 * (k as f64 / sigma).powi(2)).exp()).collect();
    let sum = raw[0] + 2.0 * raw[1..].iter().sum::<f64>();
    raw.iter().map(|w| (w / sum) as f32).collect()
}

/// Blurs widely: on blocks of `block` pixels a side, spread back over the pixels linearly. For scatter, which has no detail.
pub fn blur_widely(image: &Image, sigma_pixels: f64, block: usize) -> Image {
    let block = block.max(1);
    let (columns, rows) = (image.columns.div_ceil(block), image.rows.div_ceil(block));
    let mut coarse = Image::filled(columns, rows, 0.0);
    for row in 0..rows {
        for column in 0..columns {
            let (mut sum, mut count) = (0.0f32, 0.0f32);
            for r in row * block..((row + 1) * block).min(image.rows) {
                let line = &image.data[r * image.columns..(r + 1) * image.columns];
                for v in &line[column * block..((column + 1) * block).min(image.columns)] {
                    sum += v;
                    count += 1.0;
                }
            }
            coarse.data[row * columns + column] = sum / count;
        }
    }
    blur(&mut coarse, sigma_pixels / block as f64);
    let place = |n: usize, last: usize| {
        let at = ((n as f32 + 0.5) / block as f32 - 0.5).clamp(0.0, last as f32);
        let low = (at as usize).min(last.saturating_sub(1));
        (low, (low + 1).min(last), at - low as f32)
    };
    let mut out = Image::filled(image.columns, image.rows, 0.0);
    let steps: Vec<(usize, usize, f32)> = (0..image.columns).map(|c| place(c, columns - 1)).collect();
    out.data
        .par_chunks_mut(image.columns)
        .enumerate()
        .for_each_init(Vec::new, |line: &mut Vec<f32>, (row, out)| {
            let (r0, r1, w) = place(row, rows - 1);
            let (a, b) = (
                &coarse.data[r0 * columns..(r0 + 1) * columns],
                &coarse.data[r1 * columns..(r1 + 1) * columns],
            );
            line.clear();
            line.extend(a.iter().zip(b).map(|(a, b)| a + w * (b - a)));
            for (out, (c0, c1, w)) in out.iter_mut().zip(&steps) {
                *out = line[*c0] + w * (line[*c1] - line[*c0]);
            }
        });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_becomes_a_gaussian_of_the_same_sum() {
        let mut image = Image::filled(41, 31, 0.0);
        image.data[15 * 41 + 20] = 1.0;
        blur(&mut image, 1.7);
        let sum: f32 = image.data.iter().sum();
        assert!((sum - 1.0).abs() < 1e-5);
        let second: f32 = (0..41)
            .map(|c| image.data[15 * 41 + c] * (c as f32 - 20.0).powi(2))
            .sum();
        let zeroth: f32 = (0..41).map(|c| image.data[15 * 41 + c]).sum();
        assert!(((second / zeroth).sqrt() - 1.7).abs() < 0.03);
        let before = image.clone();
        blur(&mut image, 0.0);
        assert_eq!(image, before);
    }

    #[test]
    fn an_even_picture_stays_even() {
        let mut image = Image::filled(37, 23, 2.5);
        blur(&mut image, 2.0);
        let wide = blur_widely(&image, 9.0, 8);
        assert!(image.data.iter().chain(&wide.data).all(|v| (v - 2.5).abs() < 1e-5));
    }
}
