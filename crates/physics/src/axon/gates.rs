//! Membranes that fire: currents and gates.

use super::lanes::{Lanes, vtrap};

/// The membrane of a fibre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membrane {
    /// The node of Ranvier of McIntyre, Richardson and Grill (2002).
    Mrg,
    /// The C fibre of Sundt et al. (2015).
    Sundt,
    /// Hodgkin and Huxley's at body temperature, after Rattay and Aberham (1993).
    Rattay,
}

impl Membrane {
    fn speed(self, temperature_c: f64) -> [f64; 3] {
        let q = |base: f64, from: f64| base.powf((temperature_c - from) / 10.0);
        match self {
            Self::Mrg => [q(2.2, 20.0), q(2.9, 20.0), q(3.0, 36.0)],
            Self::Sundt => [q(3.0, 30.0); 3],
            Self::Rattay => [q(2.246_595_247_57, 6.3); 3],
        }
    }
}

/// Gates of one place: each between 0 and 1; those a membrane lacks stay 0.
pub(crate) type Gates = [Lanes; 4];

/// What a membrane needs to know beside its potential.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Kinetics {
    membrane: Membrane,
    temperature_c: f64,
    /// How much faster the gates are than at the temperature they were measured at.
    speed: [f64; 3],
    /// Densities of conductance (S/cm²) and reversal potentials, mV: fast sodium, persistent sodium, potassium, leak.
    conductances: [f64; 4],
    reversals: [f64; 4],
}

/// Rest of the Sundt fibre, mV.
const SUNDT_REST: f64 = -60.0;

impl Kinetics {
    /// The node of a myelinated fibre.
    pub(crate) fn mrg(fast_sodium: f64, slow_potassium: f64, temperature_c: f64) -> Self {
        Self {
            membrane: Membrane::Mrg,
            temperature_c,
            speed: Membrane::Mrg.speed(temperature_c),
            conductances: [fast_sodium, 0.01, slow_potassium, 0.007],
            reversals: [50.0, 50.0, -90.0, -90.0],
        }
    }

    /// A C fibre.
    pub(crate) fn unmyelinated(membrane: Membrane, temperature_c: f64) -> Self {
        match membrane {
            Membrane::Mrg => Self::mrg(3.0, 0.08, temperature_c),
            Membrane::Rattay => Self {
                membrane,
                temperature_c,
                speed: membrane.speed(temperature_c),
                conductances: [0.12, 0.0, 0.036, 0.0003],
                reversals: [45.0, 0.0, -82.0, -59.4],
            },
            Membrane::Sundt => {
                let mut own = Self {
                    membrane,
                    temperature_c,
                    speed: membrane.speed(temperature_c),
                    conductances: [0.04, 0.0, 0.04, 1e-4],
                    reversals: [50.0, 0.0, -90.0, 0.0],
                };
                // The leak's reversal is such that nothing flows at rest.
                let v = Lanes::splat(SUNDT_REST);
                let (g, e) = own.current(&own.steady(v), 1.0);
                let active = (g * v - e).to_array()[0];
                let leak = own.conductances[3];
                own.reversals[3] = SUNDT_REST + (active - leak * SUNDT_REST) / leak;
                own
            }
        }
    }

    /// The same membrane at another temperature: faster or slower gates. Conductances and the leak's reversal stay, as a membrane does not
    /// change its make-up when it is heated for a minute.
    pub(crate) fn at(&self, temperature_c: f64) -> Self {
        Self {
            temperature_c,
            speed: self.membrane.speed(temperature_c),
            ..*self
        }
    }

    /// The rest to start from, mV.
    pub(crate) fn rest(&self) -> f64 {
        match self.membrane {
            Membrane::Mrg => -80.0,
            Membrane::Sundt => SUNDT_REST,
            Membrane::Rattay => -70.0,
        }
    }

    /// Conductance and conductance times reversal, S/cm² and S/cm² mV; sodium takes part with a share.
    #[inline]
    pub(crate) fn current(&self, y: &Gates, sodium: f64) -> (Lanes, Lanes) {
        let [na, nap, k, leak] = self.conductances;
        let [m, h, third, fourth] = *y;
        let (fast, persistent, potassium) = match self.membrane {
            Membrane::Mrg => (m * m * m * h, third * third * third, fourth),
            Membrane::Sundt => (m * m * m * h, Lanes::splat(0.0), third * third * third * fourth),
            Membrane::Rattay => (m * m * m * h, Lanes::splat(0.0), third * third * third * third),
        };
        let (fast, persistent) = (fast * (na * sodium), persistent * (nap * sodium));
        let potassium = potassium * k;
        let e = self.reversals;
        (
            fast + persistent + potassium + leak,
            fast * e[0] + persistent * e[1] + potassium * e[2] + leak * e[3],
        )
    }

    /// Rates of opening and closing of each gate, per ms.
    #[inline]
    fn rates(&self, v: Lanes) -> [(Lanes, Lanes); 4] {
        let [q1, q2, q3] = self.speed;
        let one = Lanes::splat(1.0);
        // Beyond this nothing changes any more, and no exponential overflows.
        let v = v.fast_max(Lanes::splat(-150.0)).fast_min(Lanes::splat(150.0));
        match self.membrane {
            Membrane::Mrg => [
                (
                    vtrap((v + 21.4) / 10.3) * (q1 * 1.86 * 10.3),
                    vtrap((v + 25.7) / -9.16) * (q1 * 0.086 * 9.16),
                ),
                (
                    vtrap((v + 114.0) / -11.0) * (q2 * 0.062 * 11.0),
                    one * (q2 * 2.3) / (one + ((v + 31.8) / -13.4).exp()),
                ),
                (
                    vtrap((v + 27.0) / 10.2) * (q1 * 0.01 * 10.2),
                    vtrap((v + 34.0) / -10.0) * (q1 * 0.000_25 * 10.0),
                ),
                (
                    one * (q3 * 0.3) / (one + ((v + 53.0) / -5.0).exp()),
                    one * (q3 * 0.03) / (one + (-(v + 90.0)).exp()),
                ),
            ],
            Membrane::Sundt => {
                let q = q1;
                let (um, uh) = (v + 59.0, v + 71.0);
                let k = 1e-3 * 9.648e4 / (8.315 * (273.16 + self.temperature_c));
                let xn = ((v + 32.0) * (-5.0 * k)).exp();
                let tau_n = ((v + 32.0) * (-2.0 * k)).exp() / ((one + xn) * (q * 0.03));
                let xl = ((v + 61.0) * (2.0 * k)).exp();
                let tau_l = xl / ((one + xl) * (q * 0.001));
                let of = |steady: Lanes, tau: Lanes| (steady / tau, (one - steady) / tau);
                [
                    (
                        vtrap((um - 13.1) / 4.0) * (q * 0.32 * 4.0),
                        vtrap((um - 40.1) / -5.0) * (q * 0.28 * 5.0),
                    ),
                    (
                        ((uh - 17.0) / -18.0).exp() * (q * 0.128),
                        one * (q * 4.0) / (one + ((uh - 40.0) / -5.0).exp()),
                    ),
                    of(one / (one + xn), tau_n),
                    of(one / (one + xl), tau_l),
                ]
            }
            Membrane::Rattay => {
                let q = q1;
                let u = v + 70.0;
                let zero = Lanes::splat(0.0);
                [
                    (vtrap(u * 0.1 - 2.5) * q, (u / -18.0).exp() * (4.0 * q)),
                    (
                        (u / -20.0).exp() * (0.07 * q),
                        one * q / (one + (one * 3.0 - u * 0.1).exp()),
                    ),
                    (vtrap(u * 0.1 - 1.0) * (0.1 * q), (u / -80.0).exp() * (0.125 * q)),
                    (zero, zero),
                ]
            }
        }
    }

    /// The gates after a long time at a potential.
    pub(crate) fn steady(&self, v: Lanes) -> Gates {
        self.rates(v).map(|(open, close)| {
            let sum = open + close;
            open / sum.fast_max(Lanes::splat(1e-300))
        })
    }

    /// Moves the gates on by a time (ms) at a potential.
    #[inline]
    pub(crate) fn advance(&self, y: &mut Gates, v: Lanes, dt: f64) {
        for (y, (open, close)) in y.iter_mut().zip(self.rates(v)) {
            let sum = open + close;
            let x = sum * dt;
            *y = if x.simd_lt(Lanes::splat(SHORT)).all() {
                *y + (open - sum * *y) * dt * decayed(x)
            } else {
                let steady = open / sum.fast_max(Lanes::splat(1e-300));
                steady + (*y - steady) * (-x).exp()
            };
        }
    }
}

/// Up to this many time constants a step is short enough for [`decayed`].
const SHORT: f64 = 1.0;

/// `(1 − exp(−x)) / x` for `x` between 0 and [`SHORT`], within 1e-5: the Padé approximant of third order, with less work than an exponential.
#[inline]
fn decayed(x: Lanes) -> Lanes {
    let square = x * x;
    (square * (1.0 / 60.0) + 1.0) / (square * (x * (1.0 / 120.0) + 0.1) + (x * 0.5 + 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_decays_are_those_of_the_exponential() {
        for n in 1..=100 {
            let x = SHORT * f64::from(n) / 100.0;
            let exact = -(-x).exp_m1() / x;
            let found = decayed(Lanes::splat(x)).to_array()[0];
            assert!(
                (found / exact - 1.0).abs() < 1e-5 * x.powi(6) + 1e-14,
                "{x}: {found} for {exact}"
            );
        }
    }
}
