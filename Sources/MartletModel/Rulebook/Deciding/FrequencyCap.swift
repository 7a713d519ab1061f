/// How many notifications of some classes a customer gets at most within a time that moves along, over all sources and channels.
public struct FrequencyCap: Equatable, Sendable {
    public var key: String
    public var classes: ClassSet
    /// 1...100.
    public var most: Int
    /// Seconds, one minute to 31 days.
    public var within: Int64

    public init(key: String, classes: ClassSet, most: Int, within: Int64) {
        self.key = key
        self.classes = classes
        self.most = most
        self.within = within
    }

    /// A decision holds those it counts for as bits.
    public static let mostCaps = 32
    public static let mostRange: ClosedRange<Int64> = 1...100
    public static let withinRange: ClosedRange<Int64> = 60...2_678_400

    /// `{"classes": ["marketing"], "most": 3, "within": 604800}`.
    static func read(_ reading: DocumentReading, _ key: String, _ findings: inout [RulebookFinding]) -> FrequencyCap {
        reading.allow(["classes", "most", "within", "note"], &findings)
        _ = reading.optionalText("note", maximumBytes: 200, &findings)
        let classes = reading.words("classes", of: MessageClass.words, &findings) ?? []
        if classes.isEmpty { reading.error("classes", "it names no class", remedy: "name classes, such as [\"marketing\"]", &findings) }
        for one in classes where one.ignoresCaps {
            reading.error("classes", "messages of class \(one.word) are never too many", remedy: "take it out", &findings)
        }
        let most = reading.integer("most", in: mostRange, &findings)
        let within = reading.integer("within", in: withinRange, &findings)
        return FrequencyCap(key: key, classes: ClassSet(classes), most: Int(most ?? 1), within: within ?? withinRange.upperBound)
    }
}

extension MessageClass {
    /// Told at any hour: it concerns the customer's money or safety at this moment.
    public var ignoresQuietHours: Bool {
        switch self {
        case .security, .employeeAlarm, .otp, .transactional: true
        case .service, .actionRequired, .employeeInfo, .marketing: false
        }
    }

    /// Never counted as too many.
    public var ignoresCaps: Bool { ignoresQuietHours }

    /// Only who agreed is told.
    public var needsConsent: Bool { self == .marketing }
}
