: The membrane of the C fibre of Sundt et al. (J Neurophysiol 2015;114:3140), written from its equations for benches/peers/axon.py.
: The leak's reversal is set at the start so that nothing flows at rest.

NEURON {
    SUFFIX sundt_c
    NONSPECIFIC_CURRENT i
    RANGE el
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gna = 0.04 (S/cm2)
    gk = 0.04 (S/cm2)
    gl = 1e-4 (S/cm2)
    ena = 50 (mV)
    ek = -90 (mV)
    celsius (degC)
}

STATE { m h n l }

ASSIGNED {
    v (mV)
    i (mA/cm2)
    el (mV)
    minf mtau (ms)
    hinf htau (ms)
    ninf ntau (ms)
    linf ltau (ms)
}

BREAKPOINT {
    SOLVE gates METHOD cnexp
    i = gna * m * m * m * h * (v - ena) + gk * n * n * n * l * (v - ek) + gl * (v - el)
}

INITIAL {
    rates(-60)
    el = -60 + (gna * minf * minf * minf * hinf * (-60 - ena) + gk * ninf * ninf * ninf * linf * (-60 - ek)) / gl
    rates(v)
    m = minf
    h = hinf
    n = ninf
    l = linf
}

DERIVATIVE gates {
    rates(v)
    m' = (minf - m) / mtau
    h' = (hinf - h) / htau
    n' = (ninf - n) / ntau
    l' = (linf - l) / ltau
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
    LOCAL a, b, q, k, x
    q = 3^((celsius - 30) / 10)
    a = q * 0.32 * 4 * f((u + 59 - 13.1) / 4)
    b = q * 0.28 * 5 * f((40.1 - u - 59) / 5)
    mtau = 1 / (a + b)
    minf = a / (a + b)
    a = q * 0.128 * exp((17 - u - 71) / 18)
    b = q * 4 / (1 + exp((40 - u - 71) / 5))
    htau = 1 / (a + b)
    hinf = a / (a + b)
    k = 1e-3 * 9.648e4 / (8.315 * (273.16 + celsius))
    x = exp(-5 * k * (u + 32))
    ninf = 1 / (1 + x)
    ntau = exp(-2 * k * (u + 32)) / (q * 0.03 * (1 + x))
    x = exp(2 * k * (u + 61))
    linf = 1 / (1 + x)
    ltau = x / (q * 0.001 * (1 + x))
}
