/// One thing that is wrong with a template, and where.
public struct TemplateFinding: Error, Sendable, Equatable {
    /// Why a template is refused. A closed list; what each means to an editor is in `explanation`.
    public enum Code: String, Sendable, CaseIterable {
        case tagNotClosed = "tag_not_closed"
        case sectionNotClosed = "section_not_closed"
        case sectionNotOpen = "section_not_open"
        case sectionCrossed = "section_crossed"
        case badName = "bad_name"
        case badDelimiters = "bad_delimiters"
        case unsupportedTag = "unsupported_tag"
        case rawRefused = "raw_refused"
        case unsafeAddress = "unsafe_address"
        case unsafePlace = "unsafe_place"
        case filterRefused = "filter_refused"
        case unknownFilter = "unknown_filter"
        case badArgument = "bad_argument"
        case filterOrder = "filter_order"
        case pluralForm = "plural_form"
        case unknownPartial = "unknown_partial"
        case partialRecursion = "partial_recursion"
        case tooDeep = "too_deep"
        case tooLarge = "too_large"
        case unknownField = "unknown_field"
        case wrongType = "wrong_type"
        case mayBeMissing = "may_be_missing"

        /// What it means, in a sentence.
        public var explanation: String {
            switch self {
            case .tagNotClosed: "A tag is opened and never closed."
            case .sectionNotClosed: "A section is opened and never closed."
            case .sectionNotOpen: "A section is closed that is not open."
            case .sectionCrossed: "Sections are closed in another order than they were opened."
            case .badName: "A name has letters, digits, `_` and `-`, with points between its parts."
            case .badDelimiters: "New delimiters are two words of up to 16 octets, without `=`."
            case .unsupportedTag: "A tag of a kind that is not used here: lambdas, inheritance, names made at run time, pragmas."
            case .rawRefused: "A value may not go unescaped into this kind of text."
            case .unsafeAddress: "An address in markup runs something, or a value decides where it leads."
            case .unsafePlace: "Markup that runs something, or a tag at a place of it where no escape keeps a value a text."
            case .filterRefused: "Filters belong to tags that write a value."
            case .unknownFilter: "There is no filter of this name."
            case .badArgument: "A filter got something it does not take, or lacks something it needs."
            case .filterOrder:
                "A filter that writes a number or a date comes first, and there is one of them; `fit` is last, and there is one in a template."
            case .pluralForm: "A plural lacks a form that the language needs, or has one that it does not know."
            case .unknownPartial: "There is no partial of this name."
            case .partialRecursion: "A partial that contains itself may not be indented."
            case .tooDeep: "Sections or partials are nested too deep."
            case .tooLarge: "The template is too large."
            case .unknownField: "No field has this name."
            case .wrongType: "The field is of a type that cannot be used like this."
            case .mayBeMissing: "The field may be missing, and nothing says what is written then."
            }
        }
    }

    public let code: Code
    public let place: Place
    /// What is wrong with just this one, in a sentence that names what was found.
    public let reason: String

    init(_ code: Code, _ place: Place, _ reason: String) {
        self.code = code
        self.place = place
        self.reason = reason
    }
}

/// Where something stands in a template.
public struct Place: Sendable, Equatable {
    /// The partial it stands in; nil in the template itself.
    public let partial: String?
    /// From 1.
    public let line: Int
    /// From 1, in Unicode scalars.
    public let column: Int
}

/// All that is wrong with a template: at least one finding, at most `Limits.findings`, in the order in which they were found.
public struct TemplateFaults: Error, Sendable, Equatable {
    public let findings: [TemplateFinding]
}

/// Why a template could not be rendered with these values. Nothing of a value is in it.
public enum RenderFault: Error, Sendable, Equatable {
    /// The text does not fit into the buffer.
    case full
    /// More than `Limits.steps` instructions: lists within lists.
    case tooManySteps
    /// Partials within partials, deeper than `Limits.depth`.
    case tooDeep
    /// There is no value for this field, and the template says nothing for that case.
    case missing(String)
    /// The value of this field is of a type that its tag cannot write.
    case wrongType(String)
}

/// What a template may grow to.
public struct Limits: Sendable, Equatable {
    /// UTF-8 of the template, and of all its partials together with every indentation they are used at.
    public var octets = 262_144
    public var instructions = 65_536
    /// Sections and partials within one another: 1...64.
    public var depth = 32 {
        didSet { depth = min(max(depth, 1), 64) }
    }
    /// Instructions carried out in one rendering; every turn of a list counts its own.
    public var steps = 100_000
    /// Mistakes named at once.
    public var findings = 100

    public init() {}
}
