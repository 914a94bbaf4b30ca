//! The words of the language and what they do.

/// A line of the language: its words, what it does.
pub struct Usage {
    /// First word.
    pub word: &'static str,
    /// The rest.
    pub arguments: &'static str,
    /// In a sentence.
    pub does: &'static str,
}

const fn usage(word: &'static str, arguments: &'static str, does: &'static str) -> Usage {
    Usage { word, arguments, does }
}

/// The whole language, in the order of the procedure.
pub const USAGE: [Usage; 30] = [
    usage("assess", "", "judge the history: who should have a lesion"),
    usage("plan", "", "needles for the joint's two nerves"),
    usage("prepare", "ITEM", "consent, time-out, prone, monitor, pad or clean"),
    usage("sedate", "none|light|deep", "how awake the patient is"),
    usage(
        "view",
        "NAME [LEVEL]",
        "turn the C-arm: ap, oblique-right, lateral-left, declined-right, foraminal-left …",
    ),
    usage("arm", "ORBITAL TILT", "turn the C-arm to angles, degrees"),
    usage("look-along", "", "turn the C-arm so that the needle is a point"),
    usage("shot", "", "one pulse of X-rays"),
    usage("screen", "SECONDS", "X-rays with the pedal down"),
    usage("mark", "[X,Y,Z]", "mark the skin; without a place where it is planned"),
    usage("numb", "[AGENT] [P%] [V ml]", "numb the skin at the mark"),
    usage(
        "enter",
        "[CANNULA] [towards X,Y,Z]",
        "put the needle through the skin, aimed at a point",
    ),
    usage("advance", "MM", "push the needle on"),
    usage("withdraw", "MM", "draw the needle back"),
    usage("turn", "DEGREES", "turn the needle about its shaft"),
    usage("steer", "X,Y,Z", "aim the needle at another point"),
    usage("remove", "", "take the needle out"),
    usage("impedance", "", "measure the impedance"),
    usage("test", "sensory|motor [VOLTS]", "stimulate, up to so many volts"),
    usage(
        "anaesthetise",
        "[AGENT] [P%] [V ml]",
        "inject through the needle; without words 0.5 ml of lidocaine 2 %",
    ),
    usage("wait", "SECONDS", "let time pass; a lesion that runs goes on"),
    usage(
        "heat",
        "[C [HOLD]] [for SECONDS]",
        "make the lesion; with `for` come back while it runs",
    ),
    usage(
        "heat",
        "preset NAME [for SECONDS]",
        "make the lesion of a preset; `neurotome catalog preset` lists all",
    ),
    usage(
        "heat",
        "power|voltage|pulsed VALUE SECONDS [for SECONDS]",
        "constant power (W), constant voltage or pulses (V)",
    ),
    usage(
        "heat",
        "steps C:HOLD,C:HOLD… [for SECONDS]",
        "several temperatures after each other",
    ),
    usage("pump", "on [ML_PER_MIN]|off", "coolant of a cooled probe"),
    usage(
        "fault",
        "NAME [size X] [at SECONDS] [lasting SECONDS]",
        "let a fault happen, for teaching, such as thermocouple_drifting",
    ),
    usage("resume", "", "go on after a short loss of mains"),
    usage("stop", "", "stop the generator"),
    usage("next", "[NUMBER]", "turn to the next nerve of the plan"),
];

/// The last words of the language and that of the log.
pub const MORE_USAGE: [Usage; 3] = [
    usage("inspect", "", "look at the skin: entry and pad"),
    usage("finish", "", "end the procedure: what was destroyed, what comes after"),
    usage(
        "undo",
        "[N]",
        "go back by one step, or to the state after N steps; the record keeps both branches",
    ),
];

/// Words that begin a command.
pub fn words() -> impl Iterator<Item = &'static str> {
    USAGE.iter().chain(&MORE_USAGE).map(|u| u.word)
}

pub(super) fn words_of_all() -> String {
    words().collect::<Vec<_>>().join(", ")
}
