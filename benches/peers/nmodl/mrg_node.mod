: The node of Ranvier of McIntyre, Richardson and Grill (J Neurophysiol 2002;87:995), written from its equations for benches/peers/axon.py.
: Fast and persistent sodium, slow potassium and leak; rates by Q10 of 2.2 and 2.9 from 20 degC and of 3 from 36 degC.

NEURON {
    SUFFIX mrg_node
    NONSPECIFIC_CURRENT i
    RANGE gnaf, gnap, gks, gl
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gnaf = 3.0 (S/cm2)
    gnap = 0.01 (S/cm2)
    gks = 0.08 (S/cm2)
    gl = 0.007 (S/cm2)
    ena = 50 (mV)
    ek = -90 (mV)
    el = -90 (mV)
    celsius (degC)
}

STATE { m h p s }

ASSIGNED {
    v (mV)
    i (mA/cm2)
    minf mtau (ms)
    hinf htau (ms)
    pinf ptau (ms)
    sinf stau (ms)
}

BREAKPOINT {
    SOLVE gates METHOD cnexp
    i = (gnaf * m * m * m * h + gnap * p * p * p) * (v - ena) + gks * s * (v - ek) + gl * (v - el)
}

INITIAL {
    rates(v)
    m = minf
    h = hinf
    p = pinf
    s = sinf
}

DERIVATIVE gates {
    rates(v)
    m' = (minf - m) / mtau
    h' = (hinf - h) / htau
    p' = (pinf - p) / ptau
    s' = (sinf - s) / stau
}

: x / (1 - exp(-x))
FUNCTION f(x) {
    if (fabs(x) < 1e-6) {
        f = 1
    } else {
        f = x / (1 - exp(-x))
    }
}

PROCEDURE rates(u (mV)) {
    LOCAL a, b, q1, q2, q3
    q1 = 2.2^((celsius - 20) / 10)
    q2 = 2.9^((celsius - 20) / 10)
    q3 = 3.0^((celsius - 36) / 10)
    a = q1 * 1.86 * 10.3 * f((u + 21.4) / 10.3)
    b = q1 * 0.086 * 9.16 * f(-(u + 25.7) / 9.16)
    mtau = 1 / (a + b)
    minf = a / (a + b)
    a = q2 * 0.062 * 11 * f(-(u + 114) / 11)
    b = q2 * 2.3 / (1 + exp(-(u + 31.8) / 13.4))
    htau = 1 / (a + b)
    hinf = a / (a + b)
    a = q1 * 0.01 * 10.2 * f((u + 27) / 10.2)
    b = q1 * 0.00025 * 10 * f(-(u + 34) / 10)
    ptau = 1 / (a + b)
    pinf = a / (a + b)
    a = q3 * 0.3 / (1 + exp(-(u + 53) / 5))
    b = q3 * 0.03 / (1 + exp(-(u + 90)))
    stau = 1 / (a + b)
    sinf = a / (a + b)
}
