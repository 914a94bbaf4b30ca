/* Electrodes in tissue as a generator meets them: an FMI 3.0 co-simulation unit made by Neurotome. Plain C99, no libraries but the
   C library's. The equations and their order are those of the Rust model (crates/procedure/src/generator/plant/reduced.rs):

     dx/dt = rate (q - x)               states of each source of heat q: channels, coolants, heat at the metal
     z'    = (sum of weights x - z)/lag
     y     = z + bend z z
     temperature = initial + y; conductance factor f = (1 + y) / (1 + dry)
     current i = G_ii f_i V_i + sum over other k of G_ik pow(f_i f_k, p) V_k;  q_i = i i / (G_ii f_i)
     heat at the metal: q_i (1 + y_i) / (1 + a y_metal)

   The declarations of FMI 3.0 below are our own. Research and teaching software, not a medical device. */

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fmu_model.h"

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define EXPORT __attribute__((visibility("default")))
#else
#define EXPORT
#endif
#ifdef FMI3_FUNCTION_PREFIX
#define JOINED(a, b) a##b
#define JOIN(a, b) JOINED(a, b)
#define FMI3(name) JOIN(FMI3_FUNCTION_PREFIX, fmi3##name)
#else
#define FMI3(name) fmi3##name
#endif

typedef void *fmi3Instance;
typedef void *fmi3FMUState;
typedef uint32_t fmi3ValueReference;
typedef const char *fmi3String;
typedef uint8_t fmi3Byte;
typedef enum { fmi3OK, fmi3Warning, fmi3Discard, fmi3Error, fmi3Fatal } fmi3Status;
typedef void (*fmi3LogMessage)(void *, fmi3Status, fmi3String, fmi3String);

/* Value references, in the order of modelDescription.xml. */
enum {
    VR_TIME = 0,
    VR_INITIAL = 1,
    VR_VOLTAGE = 2,
    VR_COOLANT_TEMPERATURE = VR_VOLTAGE + CHANNELS,
    VR_COOLANT_FLOW = VR_COOLANT_TEMPERATURE + COOLANTS,
    VR_THERMOCOUPLE = VR_COOLANT_FLOW + COOLANTS,
    VR_IMPEDANCE = VR_THERMOCOUPLE + NEEDLES,
    VR_CURRENT = VR_IMPEDANCE + CHANNELS,
    VR_POWER = VR_CURRENT + CHANNELS,
    VR_HOTTEST,
    VR_END
};

/* No array of C is empty. */
#define ROOM(n) ((n) > 0 ? (n) : 1)

typedef struct {
    double time_s;
    double initial_c;
    double x[SOURCES * RATES];
    double z[OUTPUTS];
    double dry[CHANNELS];
    double volts[CHANNELS];
    double coolant_c[ROOM(COOLANTS)];
    double coolant_ml_per_min[ROOM(COOLANTS)];
    double start_s;
    int mode; /* 0 instantiated, 1 initialising, 2 stepping, 3 terminated */
} State;

typedef struct {
    State s;
    double decay[RATES];
    double follow[OUTPUTS];
    double step_s;
    double factor[CHANNELS];
    double between[CHANNELS];
    double current_a[CHANNELS];
    fmi3LogMessage log;
    void *environment;
} Plant;

static void complain(Plant *p, fmi3String what) {
    if (p->log)
        p->log(p->environment, fmi3Error, "logStatusError", what);
}

static void at_start(Plant *p) {
    memset(&p->s, 0, sizeof p->s);
    p->s.initial_c = INITIAL_C;
    p->step_s = 0.0;
    for (int c = 0; c < COOLANTS; ++c) {
        p->s.coolant_c[c] = COOLANT_C[c];
        p->s.coolant_ml_per_min[c] = COOLANT_ML_PER_MIN[c];
    }
}

/* Conductance between metal and a coolant's inlet at its flow, W/K: coolant nears the metal exponentially on its way. A negative
   flow stands for one that does not warm. */
static double at_flow(int c, double ml_per_min) {
    if (ml_per_min > 0.0) {
        double stream = ml_per_min * 1e-6 / 60.0 * 4.18e6;
        return -stream * expm1(-COOLANT_W_PER_K[c] / stream);
    }
    return ml_per_min < 0.0 ? COOLANT_W_PER_K[c] : 0.0;
}

static double value(const Plant *p, int output) {
    double z = p->s.z[output];
    return z + BEND[output] * z * z;
}

static void currents(Plant *p) {
    for (int k = 0; k < CHANNELS; ++k) {
        p->factor[k] = fmax(1.0 + value(p, k), 0.05) / (1.0 + p->s.dry[k]);
        p->between[k] = CHANNELS > 1 ? pow(p->factor[k], BETWEEN_POWER) : 1.0;
    }
    for (int i = 0; i < CHANNELS; ++i) {
        double sum = 0.0;
        for (int k = 0; k < CHANNELS; ++k)
            sum += CONDUCTANCE_S[i * CHANNELS + k] * (k == i ? p->factor[k] : p->between[i] * p->between[k]) * p->s.volts[k];
        p->current_a[i] = sum;
    }
}

/* Rise of a needle's metal, K: where a coolant meets it, else where the thermocouple is. */
static double metal_rise(const Plant *p, int needle) {
    for (int c = 0; c < COOLANTS; ++c)
        if (COOLANT_NEEDLE[c] == needle)
            return value(p, CHANNELS + 2 * NEEDLES + c);
    return value(p, CHANNELS + needle);
}

/* The same of a channel: the mean of all needles where it has several. */
static double channel_metal_rise(const Plant *p, int channel) {
    if (CHANNELS == NEEDLES)
        return metal_rise(p, channel);
    double sum = 0.0;
    for (int k = 0; k < NEEDLES; ++k)
        sum += metal_rise(p, k);
    return sum / NEEDLES;
}

static double hot(const Plant *p, int needle) { return p->s.initial_c + value(p, CHANNELS + NEEDLES + needle); }

/* Hottest tissue of a channel as if water did not boil. */
static double channel_hot(const Plant *p, int channel) {
    if (CHANNELS == NEEDLES)
        return hot(p, channel);
    double most = -INFINITY;
    for (int k = 0; k < NEEDLES; ++k)
        most = fmax(most, hot(p, k));
    return most;
}

static void prepare(Plant *p, double step_s) {
    if (step_s == p->step_s)
        return;
    p->step_s = step_s;
    for (int m = 0; m < RATES; ++m)
        p->decay[m] = exp(-RATE_PER_S[m] * step_s);
    for (int o = 0; o < OUTPUTS; ++o)
        p->follow[o] = LAG_S[o] > 0.0 ? 1.0 - exp(-step_s / LAG_S[o]) : 1.0;
}

static void step(Plant *p, const double *coolant_w_per_k) {
    double source[SOURCES];
    currents(p);
    for (int i = 0; i < CHANNELS; ++i) {
        source[i] = p->current_a[i] * p->current_a[i] / (CONDUCTANCE_S[i * CHANNELS + i] * p->factor[i]);
        double share = p->factor[i] * (1.0 + p->s.dry[i]) / fmax(1.0 + CONDUCTING_PER_K * channel_metal_rise(p, i), 0.05);
        source[CHANNELS + COOLANTS + i] = share * source[i];
    }
    for (int c = 0; c < COOLANTS; ++c) {
        double wall = p->s.initial_c + value(p, CHANNELS + 2 * NEEDLES + c);
        source[CHANNELS + c] = coolant_w_per_k[c] * (wall - p->s.coolant_c[c]);
    }
    for (int s = 0; s < SOURCES; ++s)
        for (int m = 0; m < RATES; ++m) {
            double *x = &p->s.x[s * RATES + m];
            *x = source[s] + (*x - source[s]) * p->decay[m];
        }
    for (int o = 0; o < OUTPUTS; ++o) {
        double sum = 0.0;
        for (int i = 0; i < SOURCES * RATES; ++i)
            sum += WEIGHT[o * SOURCES * RATES + i] * p->s.x[i];
        p->s.z[o] += p->follow[o] * (sum - p->s.z[o]);
    }
    if (DRYING_PER_K_S > 0.0)
        for (int k = 0; k < CHANNELS; ++k) {
            double over = channel_hot(p, k) - 100.0;
            if (over > 0.0)
                p->s.dry[k] += p->step_s * DRYING_PER_K_S * over;
        }
}

static void go_on(Plant *p, double dt_s) {
    double coolant_w_per_k[ROOM(COOLANTS)];
    double steps = ceil(dt_s / LONGEST_STEP_S - 1e-9);
    steps = steps < 1.0 ? 1.0 : steps > 1e9 ? 1e9 : steps;
    prepare(p, dt_s / steps);
    for (int c = 0; c < COOLANTS; ++c)
        coolant_w_per_k[c] = at_flow(c, p->s.coolant_ml_per_min[c]);
    for (uint64_t n = (uint64_t)steps; n > 0; --n)
        step(p, coolant_w_per_k);
    p->s.time_s += dt_s;
}

static bool read_one(Plant *p, fmi3ValueReference vr, double *to) {
    if (vr == VR_TIME) {
        *to = p->s.time_s + p->s.start_s;
    } else if (vr == VR_INITIAL) {
        *to = p->s.initial_c;
    } else if (vr < VR_COOLANT_TEMPERATURE) {
        *to = p->s.volts[vr - VR_VOLTAGE];
    } else if (vr < VR_COOLANT_FLOW) {
        *to = p->s.coolant_c[vr - VR_COOLANT_TEMPERATURE];
    } else if (vr < VR_THERMOCOUPLE) {
        *to = p->s.coolant_ml_per_min[vr - VR_COOLANT_FLOW];
    } else if (vr < VR_IMPEDANCE) {
        *to = p->s.initial_c + value(p, CHANNELS + (int)(vr - VR_THERMOCOUPLE));
    } else if (vr < VR_CURRENT) {
        int k = (int)(vr - VR_IMPEDANCE);
        currents(p);
        *to = p->s.volts[k] > 0.0 && p->current_a[k] > 0.0 ? p->s.volts[k] / p->current_a[k]
                                                            : 1.0 / (CONDUCTANCE_S[k * CHANNELS + k] * p->factor[k]);
    } else if (vr < VR_POWER) {
        currents(p);
        *to = p->current_a[vr - VR_CURRENT];
    } else if (vr == VR_POWER) {
        double power = 0.0;
        currents(p);
        for (int k = 0; k < CHANNELS; ++k)
            power += p->s.volts[k] * p->current_a[k];
        *to = power;
    } else if (vr == VR_HOTTEST) {
        double most = -INFINITY;
        for (int k = 0; k < NEEDLES; ++k)
            most = fmax(most, hot(p, k));
        *to = DRYING_PER_K_S > 0.0 ? fmin(most, 100.0) : most;
    } else {
        return false;
    }
    return true;
}

static bool write_one(Plant *p, fmi3ValueReference vr, double v) {
    if (!isfinite(v))
        return false;
    if (vr == VR_INITIAL && p->s.mode < 2) {
        p->s.initial_c = v;
    } else if (vr >= VR_VOLTAGE && vr < VR_COOLANT_TEMPERATURE) {
        p->s.volts[vr - VR_VOLTAGE] = v;
    } else if (vr >= VR_COOLANT_TEMPERATURE && vr < VR_COOLANT_FLOW) {
        p->s.coolant_c[vr - VR_COOLANT_TEMPERATURE] = v;
    } else if (vr >= VR_COOLANT_FLOW && vr < VR_THERMOCOUPLE) {
        p->s.coolant_ml_per_min[vr - VR_COOLANT_FLOW] = v;
    } else {
        return false;
    }
    return true;
}

EXPORT fmi3String FMI3(GetVersion)(void) { return "3.0"; }

EXPORT fmi3Status FMI3(SetDebugLogging)(fmi3Instance i, bool on, size_t n, const fmi3String categories[]) {
    (void)i, (void)on, (void)n, (void)categories;
    return fmi3OK;
}

EXPORT fmi3Instance FMI3(InstantiateCoSimulation)(fmi3String name, fmi3String token, fmi3String resources, bool visible,
                                                  bool logging, bool event_mode, bool early_return,
                                                  const fmi3ValueReference intermediate[], size_t n_intermediate,
                                                  void *environment, fmi3LogMessage log, void *update) {
    (void)name, (void)resources, (void)visible, (void)event_mode, (void)early_return, (void)intermediate;
    (void)n_intermediate, (void)update;
    if (!token || strcmp(token, TOKEN) != 0) {
        if (log)
            log(environment, fmi3Error, "logStatusError", "the instantiation token is not that of modelDescription.xml");
        return NULL;
    }
    Plant *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->log = logging ? log : NULL;
    p->environment = environment;
    at_start(p);
    return p;
}

EXPORT void FMI3(FreeInstance)(fmi3Instance i) { free(i); }

EXPORT fmi3Status FMI3(EnterInitializationMode)(fmi3Instance i, bool tolerance_defined, double tolerance, double start_s,
                                                bool stop_defined, double stop_s) {
    (void)tolerance_defined, (void)tolerance, (void)stop_defined, (void)stop_s;
    Plant *p = i;
    p->s.start_s = start_s;
    p->s.mode = 1;
    return fmi3OK;
}

EXPORT fmi3Status FMI3(ExitInitializationMode)(fmi3Instance i) {
    ((Plant *)i)->s.mode = 2;
    return fmi3OK;
}

EXPORT fmi3Status FMI3(Terminate)(fmi3Instance i) {
    ((Plant *)i)->s.mode = 3;
    return fmi3OK;
}

EXPORT fmi3Status FMI3(Reset)(fmi3Instance i) {
    at_start(i);
    return fmi3OK;
}

EXPORT fmi3Status FMI3(GetFloat64)(fmi3Instance i, const fmi3ValueReference vr[], size_t n, double values[], size_t n_values) {
    Plant *p = i;
    if (n != n_values) {
        complain(p, "as many values as value references are needed");
        return fmi3Error;
    }
    for (size_t k = 0; k < n; ++k)
        if (!read_one(p, vr[k], &values[k])) {
            complain(p, "no variable has this value reference");
            return fmi3Error;
        }
    return fmi3OK;
}

EXPORT fmi3Status FMI3(SetFloat64)(fmi3Instance i, const fmi3ValueReference vr[], size_t n, const double values[],
                                   size_t n_values) {
    Plant *p = i;
    if (n != n_values) {
        complain(p, "as many values as value references are needed");
        return fmi3Error;
    }
    for (size_t k = 0; k < n; ++k)
        if (!write_one(p, vr[k], values[k])) {
            complain(p, "only inputs, and before the start the parameter, can be set, to finite values");
            return fmi3Error;
        }
    return fmi3OK;
}

EXPORT fmi3Status FMI3(DoStep)(fmi3Instance i, double now_s, double step_s, bool no_set_prior, bool *event, bool *terminate,
                               bool *early, double *last_s) {
    (void)now_s, (void)no_set_prior;
    Plant *p = i;
    *event = *terminate = *early = false;
    if (p->s.mode != 2 || !(step_s > 0.0) || !isfinite(step_s)) {
        complain(p, "a step needs an initialised instance and a positive length");
        return fmi3Error;
    }
    go_on(p, step_s);
    *last_s = p->s.time_s + p->s.start_s;
    return fmi3OK;
}

EXPORT fmi3Status FMI3(GetFMUState)(fmi3Instance i, fmi3FMUState *state) {
    if (!*state)
        *state = malloc(sizeof(State));
    if (!*state)
        return fmi3Error;
    memcpy(*state, &((Plant *)i)->s, sizeof(State));
    return fmi3OK;
}

EXPORT fmi3Status FMI3(SetFMUState)(fmi3Instance i, fmi3FMUState state) {
    if (!state)
        return fmi3Error;
    memcpy(&((Plant *)i)->s, state, sizeof(State));
    return fmi3OK;
}

EXPORT fmi3Status FMI3(FreeFMUState)(fmi3Instance i, fmi3FMUState *state) {
    (void)i;
    free(*state);
    *state = NULL;
    return fmi3OK;
}

EXPORT fmi3Status FMI3(SerializedFMUStateSize)(fmi3Instance i, fmi3FMUState state, size_t *size) {
    (void)i, (void)state;
    *size = sizeof(State);
    return fmi3OK;
}

EXPORT fmi3Status FMI3(SerializeFMUState)(fmi3Instance i, fmi3FMUState state, fmi3Byte bytes[], size_t size) {
    (void)i;
    if (!state || size < sizeof(State))
        return fmi3Error;
    memcpy(bytes, state, sizeof(State));
    return fmi3OK;
}

EXPORT fmi3Status FMI3(DeserializeFMUState)(fmi3Instance i, const fmi3Byte bytes[], size_t size, fmi3FMUState *state) {
    if (size != sizeof(State)) {
        complain(i, "these bytes are no state of this model");
        return fmi3Error;
    }
    if (!*state)
        *state = malloc(sizeof(State));
    if (!*state)
        return fmi3Error;
    memcpy(*state, bytes, sizeof(State));
    return fmi3OK;
}

/* What the standard asks every unit to export and this one has no use for. */
#define UNUSED(name, ...)                                                                                                    \
    EXPORT fmi3Status FMI3(name)(__VA_ARGS__) { return fmi3Error; }
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-parameter"
#endif
#define TYPED(name, type)                                                                                                    \
    UNUSED(Get##name, fmi3Instance i, const fmi3ValueReference vr[], size_t n, type values[], size_t m)                       \
    UNUSED(Set##name, fmi3Instance i, const fmi3ValueReference vr[], size_t n, const type values[], size_t m)

TYPED(Float32, float)
TYPED(Int8, int8_t)
TYPED(UInt8, uint8_t)
TYPED(Int16, int16_t)
TYPED(UInt16, uint16_t)
TYPED(Int32, int32_t)
TYPED(UInt32, uint32_t)
TYPED(Int64, int64_t)
TYPED(UInt64, uint64_t)
TYPED(Boolean, bool)
TYPED(String, fmi3String)
UNUSED(GetBinary, fmi3Instance i, const fmi3ValueReference vr[], size_t n, size_t sizes[], const fmi3Byte *values[], size_t m)
UNUSED(SetBinary, fmi3Instance i, const fmi3ValueReference vr[], size_t n, const size_t sizes[], const fmi3Byte *const values[],
       size_t m)
UNUSED(GetClock, fmi3Instance i, const fmi3ValueReference vr[], size_t n, bool values[])
UNUSED(SetClock, fmi3Instance i, const fmi3ValueReference vr[], size_t n, const bool values[])
UNUSED(GetNumberOfVariableDependencies, fmi3Instance i, fmi3ValueReference vr, size_t *n)
UNUSED(GetVariableDependencies, fmi3Instance i, fmi3ValueReference vr, size_t elements[], fmi3ValueReference of[],
       size_t their[], int kinds[], size_t n)
UNUSED(GetDirectionalDerivative, fmi3Instance i, const fmi3ValueReference u[], size_t n, const fmi3ValueReference k[], size_t m,
       const double seed[], size_t s, double out[], size_t o)
UNUSED(GetAdjointDerivative, fmi3Instance i, const fmi3ValueReference u[], size_t n, const fmi3ValueReference k[], size_t m,
       const double seed[], size_t s, double out[], size_t o)
UNUSED(GetOutputDerivatives, fmi3Instance i, const fmi3ValueReference vr[], size_t n, const int32_t orders[], double values[],
       size_t m)
UNUSED(EnterEventMode, fmi3Instance i)
UNUSED(EnterStepMode, fmi3Instance i)
UNUSED(EnterConfigurationMode, fmi3Instance i)
UNUSED(ExitConfigurationMode, fmi3Instance i)
UNUSED(EnterContinuousTimeMode, fmi3Instance i)
UNUSED(EvaluateDiscreteStates, fmi3Instance i)
UNUSED(UpdateDiscreteStates, fmi3Instance i, bool *a, bool *b, bool *c, bool *d, bool *e, double *t)
UNUSED(GetIntervalDecimal, fmi3Instance i, const fmi3ValueReference vr[], size_t n, double values[], int qualifiers[])
UNUSED(GetIntervalFraction, fmi3Instance i, const fmi3ValueReference vr[], size_t n, uint64_t a[], uint64_t b[], int q[])
UNUSED(GetShiftDecimal, fmi3Instance i, const fmi3ValueReference vr[], size_t n, double values[])
UNUSED(GetShiftFraction, fmi3Instance i, const fmi3ValueReference vr[], size_t n, uint64_t a[], uint64_t b[])
UNUSED(SetIntervalDecimal, fmi3Instance i, const fmi3ValueReference vr[], size_t n, const double values[])
UNUSED(SetIntervalFraction, fmi3Instance i, const fmi3ValueReference vr[], size_t n, const uint64_t a[], const uint64_t b[])
UNUSED(SetShiftDecimal, fmi3Instance i, const fmi3ValueReference vr[], size_t n, const double values[])
UNUSED(SetShiftFraction, fmi3Instance i, const fmi3ValueReference vr[], size_t n, const uint64_t a[], const uint64_t b[])
UNUSED(ActivateModelPartition, fmi3Instance i, fmi3ValueReference vr, double t)
UNUSED(CompletedIntegratorStep, fmi3Instance i, bool no_set_prior, bool *event, bool *terminate)
UNUSED(SetTime, fmi3Instance i, double t)
UNUSED(SetContinuousStates, fmi3Instance i, const double x[], size_t n)
UNUSED(GetContinuousStateDerivatives, fmi3Instance i, double x[], size_t n)
UNUSED(GetEventIndicators, fmi3Instance i, double x[], size_t n)
UNUSED(GetContinuousStates, fmi3Instance i, double x[], size_t n)
UNUSED(GetNominalsOfContinuousStates, fmi3Instance i, double x[], size_t n)
UNUSED(GetNumberOfEventIndicators, fmi3Instance i, size_t *n)
UNUSED(GetNumberOfContinuousStates, fmi3Instance i, size_t *n)

EXPORT fmi3Instance FMI3(InstantiateModelExchange)(fmi3String name, fmi3String token, fmi3String resources, bool visible,
                                                   bool logging, void *environment, fmi3LogMessage log) {
    return NULL;
}

EXPORT fmi3Instance FMI3(InstantiateScheduledExecution)(fmi3String name, fmi3String token, fmi3String resources, bool visible,
                                                        bool logging, void *environment, fmi3LogMessage log, void *update,
                                                        void *lock, void *unlock) {
    return NULL;
}
