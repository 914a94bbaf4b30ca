: Hodgkin and Huxley's membrane at body temperature, after Rattay and Aberham (IEEE Trans Biomed Eng 1993;40:1201), written from its equations
: for benches/peers/axon.py. Exact rates, no table.

NEURON {
    SUFFIX rattay_c
    NONSPECIFIC_CURRENT i
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gna = 0.12 (S/cm2)
    gk = 0.036 (S/cm2)
    gl = 0.0003 (S/cm2)
    ena = 45 (mV)
    ek = -82 (mV)
    el = -59.4 (mV)
    celsius (degC)
}

STATE { m h n }

ASSIGNED {
    v (mV)
    i (mA/cm2)
    minf mtau (ms)
    hinf htau (ms)
    ninf ntau (ms)
}

BREAKPOINT {
    SOLVE gates METHOD cnexp
    i = gna * m * m * m * h * (v - ena) + gk * n * n * n * n * (v - ek) + gl * (v - el)
}

INITIAL {
    rates(v)
    m = minf
    h = hinf
    n = ninf
}

DERIVATIVE gates {
    rates(v)
    m' = (minf - m) / mtau
    h' = (hinf - h) / htau
    n' = (ninf - n) / ntau
}

: x / (1 - exp(-x))
FUNCTION f(x) {
    if (fabs(x) < 1e-6) {
        f = 1
    } else {
        f = x / (1 - exp(-x))
    }
}

PROCEDURE rates(v (mV)) {
    LOCAL a, b, q, u
    u = v + 70
    q = 2.24659524757^((celsius - 6.3) / 10)
    a = q * f(0.1 * u - 2.5)
    b = q * 4 * exp(-u / 18)
    mtau = 1 / (a + b)
    minf = a / (a + b)
    a = q * 0.07 * exp(-u / 20)
    b = q / (1 + exp(3 - 0.1 * u))
    htau = 1 / (a + b)
    hinf = a / (a + b)
    a = q * 0.1 * f(0.1 * u - 1)
    b = q * 0.125 * exp(-u / 80)
    ntau = 1 / (a + b)
    ninf = a / (a + b)
}
