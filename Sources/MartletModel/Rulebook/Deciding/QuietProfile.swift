/// When customers are not disturbed by some classes, in their own time zone.
public struct QuietProfile: Equatable, Sendable {
    public var key: String
    /// Whose messages wait where the event names no profile.
    public var classes: ClassSet
    public var windows: [Window]
    /// Place in the rules' holidays.
    public var holidays: Int?
    /// What is quiet on a holiday besides.
    public var holidayWindows: [Window]

    /// Minutes of the day, `until` not in it; over midnight where it is not after `from`, equal: the whole day.
    public struct Window: Equatable, Sendable {
        /// Monday is 0; sorted.
        public var days: [Int]
        public var from: Int
        public var until: Int

        public init(days: [Int] = Array(0...6), from: Int, until: Int) {
            self.days = days
            self.from = from
            self.until = until
        }
    }

    public init(
        key: String, classes: ClassSet = [], windows: [Window], holidays: Int? = nil,
        holidayWindows: [Window] = [Window(from: 0, until: 0)]
    ) {
        self.key = key
        self.classes = classes
        self.windows = windows
        self.holidays = holidays
        self.holidayWindows = holidayWindows
    }

    public static let mostWindows = 100
    static let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

    /// `{"classes": ["marketing"], "windows": [{"days": ["saturday"], "from": "22:00", "until": "08:00"}], "holidays": "ukraine",
    /// "holidayWindows": [{"from": "00:00", "until": "12:00"}]}`; days left out are all, holiday windows left out the whole day.
    static func read(_ reading: DocumentReading, _ key: String, _ draft: RulebookDraft, _ findings: inout [RulebookFinding]) -> QuietProfile
    {
        reading.allow(["classes", "windows", "holidays", "holidayWindows", "note"], &findings)
        _ = reading.optionalText("note", maximumBytes: 200, &findings)
        let classes = reading.words("classes", of: MessageClass.words, &findings) ?? []
        for one in classes where one.ignoresQuietHours {
            reading.error("classes", "messages of class \(one.word) never wait", remedy: "take it out", &findings)
        }
        var profile = QuietProfile(
            key: key, classes: ClassSet(classes),
            windows: windows(reading, "windows", hasDays: true, &findings),
            holidays: draft.optionalPlace(.holidays, reading, "holidays", &findings))
        if reading.field("holidayWindows") != nil {
            profile.holidayWindows = windows(reading, "holidayWindows", hasDays: false, &findings)
            if profile.holidays == nil, reading.field("holidays") == nil {
                reading.error("holidayWindows", "no holidays are named", remedy: "name the holidays that they are of", &findings)
            }
        }
        return profile
    }

    private static func windows(
        _ reading: DocumentReading, _ field: String, hasDays: Bool, _ findings: inout [RulebookFinding]
    ) -> [Window] {
        let elements = reading.list(field, &findings)
        if elements.count > mostWindows {
            reading.error(field, "\(elements.count) windows; \(mostWindows) are the most", remedy: "join some of them", &findings)
        }
        return elements.prefix(mostWindows).compactMap { window($0, hasDays: hasDays, &findings) }
    }

    private static func window(_ reading: DocumentReading, hasDays: Bool, _ findings: inout [RulebookFinding]) -> Window? {
        reading.allow(hasDays ? ["days", "from", "until"] : ["from", "until"], &findings)
        let days = hasDays ? reading.words("days", of: days.enumerated().map { ($0.element, $0.offset) }, &findings) : nil
        if let days, days.isEmpty { reading.error("days", "it names no day", remedy: "name days, or leave it out for all", &findings) }
        func minute(_ field: String) -> Int? {
            guard let text = reading.text(field, maximumBytes: 5, &findings) else { return nil }
            guard text.utf8.count == 5, let seconds = CivilText.time(text) else {
                reading.error(field, "it is no time of the day", remedy: "write hours and minutes, such as 22:00", &findings)
                return nil
            }
            return Int(seconds / 60)
        }
        guard let from = minute("from"), let until = minute("until") else { return nil }
        return Window(days: (days ?? Array(0...6)).sorted(), from: from, until: until)
    }
}

/// Days on which the bank does not disturb.
public struct HolidayCalendar: Equatable, Sendable {
    public var key: String
    /// Month times 100 and day: 229 is 29 February, which only leap years have.
    public var yearly: [Int]
    /// Of one year: days since 1970.
    public var single: [Int32]

    public init(key: String, yearly: [Int] = [], single: [Int32] = []) {
        self.key = key
        self.yearly = yearly
        self.single = single
    }

    /// `{"yearly": ["01-01", "08-24"], "days": ["2027-05-03"]}`.
    static func read(_ reading: DocumentReading, _ key: String, _ findings: inout [RulebookFinding]) -> HolidayCalendar {
        reading.allow(["yearly", "days", "note"], &findings)
        _ = reading.optionalText("note", maximumBytes: 200, &findings)
        var calendar = HolidayCalendar(key: key)
        for element in reading.optionalList("yearly", &findings) {
            guard let text = element.asText(maximumBytes: 5, &findings) else { continue }
            guard let day = CivilText.yearly(text) else {
                element.error(nil, "it is no day of a year", remedy: "write month and day, such as 08-24", &findings)
                continue
            }
            calendar.yearly.append(day.month * 100 + day.day)
        }
        for element in reading.optionalList("days", &findings) {
            guard let text = element.asText(maximumBytes: 10, &findings) else { continue }
            guard let day = CivilText.date(text) else {
                element.error(nil, "it is no day", remedy: "write year, month and day, such as 2027-05-03", &findings)
                continue
            }
            calendar.single.append(day)
        }
        if calendar.yearly.isEmpty, calendar.single.isEmpty {
            reading.warning(nil, "it names no day", remedy: "name days in yearly or days", &findings)
        }
        return calendar
    }
}
