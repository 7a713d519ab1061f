/// What a template is compiled to: for each partial and the template itself a flat list, names and texts apart.
final class Program: Sendable {
    /// The first is the template, the others partials.
    let procedures: [[Instruction]]
    let literals: [UInt8]
    let slots: [Slot]
    let paths: [Path]
    /// Where each path of `paths` stands in the template.
    let places: [Place]
    let names: [String]
    /// Paths' names, one path behind the other: indexes into `names`.
    let nameIndexes: [Int]
    /// For each name its place in the record that the template was compiled for, else 0: where a look-up begins.
    let hints: [Int]
    let forms: [PluralForms]
    let steps: [TextStep]
    /// Names of the partials that it uses, each once, in their order.
    let partials: [String]

    init(
        procedures: [[Instruction]], literals: [UInt8], slots: [Slot], paths: [Path], places: [Place], names: [String],
        nameIndexes: [Int], hints: [Int], forms: [PluralForms], steps: [TextStep], partials: [String]
    ) {
        self.procedures = procedures
        self.literals = literals
        self.slots = slots
        self.paths = paths
        self.places = places
        self.names = names
        self.nameIndexes = nameIndexes
        self.hints = hints
        self.forms = forms
        self.steps = steps
        self.partials = partials
    }

    /// The path as it is written: `customer.name`, `.`.
    func text(of path: Path) -> String {
        path.count == 0 ? "." : parts(of: path).joined(separator: ".")
    }

    /// Names of the path, outermost first; none for `.`.
    func parts(of path: Path) -> [String] { (path.first..<(path.first + path.count)).map { names[nameIndexes[$0]] } }
}

enum Instruction {
    case literal(Stretch)
    /// Index into `slots`.
    case slot(Int32)
    /// Index into `paths`; the body is what follows, up to `end`.
    case section(path: Int32, end: Int32)
    case inverted(path: Int32, end: Int32)
    /// Index into `procedures`.
    case call(Int32)
}

/// A piece of `literals`.
struct Stretch {
    let start: Int32
    let count: Int32
}

/// Names one within the other. None of them: the value that the innermost section is about.
struct Path {
    /// Where its names begin in `nameIndexes`.
    let first: Int
    let count: Int
}

/// A place for a value, and what is done to it on the way.
struct Slot {
    /// Index into `paths`.
    let path: Int32
    let format: Format
    /// Stretch of `steps`.
    let firstStep: Int32
    let stepCount: Int32
    /// Written instead of a value that is missing or an empty text. A start of -1: nothing was said for that case.
    let fallback: Stretch
    /// Steps that it does not go through, since they stand before it.
    let stepsBeforeFallback: Int32
    /// Of the text's kind, but where it stands in an address.
    let escape: OutputKind
    /// Types that can be written like this.
    let accepts: ValueKinds
    /// Letters that are kept at least when the text has to become shorter; -1 when the value is not there for that.
    let fit: Int32
    let masked: Bool
}

/// How a value becomes text.
enum Format {
    case plain
    case money(MoneyStyle)
    /// Digits behind the point; nil: those it has.
    case number(places: Int?)
    case percent(places: Int?)
    case date(DateStyle)
    case time(TimeStyle)
    case datetime(DateStyle)
    case weekday
    case month
    case ordinal
    /// Index into `forms`.
    case plural(Int32)
}

/// The words of one plural, by category; a start of -1 where there is none.
struct PluralForms {
    var forms = [Stretch](repeating: Stretch(start: -1, count: 0), count: PluralCategory.allCases.count)
    /// Whether numbers with digits behind the point have their form.
    var takesFractions = true
}
