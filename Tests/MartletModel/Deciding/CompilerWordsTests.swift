import Testing

@testable import MartletModel

/// What compiling finds before anything is published: each fault in a rulebook that is sound otherwise, told at its place, in words, with what
/// to do about it.
@Suite("Rulebook: unreachable, too late, going round")
struct CompilerWordsTests {
    struct Fault: CustomTestStringConvertible, Sendable {
        var name: String
        var changes: [String: String]
        var path: String
        var severity: RulebookFinding.Severity
        var words: String
        var testDescription: String { name }

        init(
            _ name: String, _ changes: [String: String], _ path: String, _ severity: RulebookFinding.Severity, _ words: String
        ) {
            (self.name, self.changes, self.path, self.severity, self.words) = (name, changes, path, severity, words)
        }

        init(_ name: String, _ changes: [String: String], _ path: String, _ words: String) {
            self.init(name, changes, path, .warning, words)
        }
    }

    /// An event of the sound rulebook's parts.
    static func event(_ number: Int, _ fields: String) -> String {
        #"{"number": \#(number), "type": "cards", "templates": {"sms": "paid"}, \#(fields)}"#
    }

    static let offer = event(13, #""class": "marketing", "everyone": true, "purpose": "offers", "plan": "both""#)
    static let notice = event(14, #""class": "service", "everyone": true, "plan": "both""#)

    static let faults: [Fault] = [
        Fault(
            "a cell of a class whose events have plans of their own", ["event/offer": offer], "matrix/bank$.cells[1]",
            "every event of class marketing has a plan of its own"),
        Fault(
            "an event for everyone in a package",
            [
                "event/notice": notice, "package/cards": #"{"number": 17, "events": [{"event": "paid"}, {"event": "notice"}]}"#,
            ], "package/cards$.events[1]", "event/notice is for everyone"),
        Fault(
            "a mandatory event in a package",
            [
                "event/law": event(15, #""class": "service", "mandatory": true, "plan": "both""#),
                "package/cards": #"{"number": 17, "events": [{"event": "law"}, {"event": "paid"}]}"#,
            ], "package/cards$.events[0]", "event/law is mandatory"),
        Fault(
            "a package whose channels the event has no template for",
            ["package/cards": #"{"number": 17, "events": [{"event": "paid"}], "channels": ["email", "voice"]}"#],
            "package/cards$.events[0]",
            "no template for a channel of this package"),
        Fault(
            "a threshold that every amount reaches",
            [
                "package/cards":
                    #"{"number": 17, "events": [{"event": "paid", "thresholds": [{"amount": "10.00", "currency": "EUR"}, {"amount": "0.00", "currency": "PLN"}]}]}"#
            ], "package/cards$.events[0].thresholds[1]", "holds nothing back"),
        Fault(
            "a threshold of an event that is told whatever the amount",
            [
                "event/big": event(
                    16, #""class": "transactional", "everyone": true, "threshold": "sum", "parameters": [{"name": "sum", "type": "money"}]"#
                )
            ], "event/big$.threshold", "never asked"),
        Fault(
            "a rule for the deceased", ["suppression/dead": #"{"statuses": ["deceased"], "classes": ["security", "service"]}"#],
            "suppression/dead$.statuses", "nobody writes to the deceased"),
        Fault(
            "a rule for customers who are not written to anyway",
            ["suppression/left": #"{"statuses": ["closed", "blocked"], "classes": ["service", "marketing"]}"#],
            "suppression/left$.statuses",
            "in any case"),
        Fault(
            "a rule within another", ["suppression/more": #"{"segments": [13, 14], "classes": ["marketing", "service"]}"#],
            "suppression/law$", "suppression/more is for all these customers"),
        Fault(
            "two rules alike", ["suppression/law-again": #"{"segments": [13], "classes": ["marketing"], "channels": ["sms"]}"#],
            "suppression/law-again$", "suppression/law is for all these customers"),
        Fault(
            "a cap that another is always before", ["cap/day": #"{"classes": ["marketing"], "most": 5, "within": 86400}"#], "cap/day$.most",
            "cap/week stops after 3 in 7 days"),
        Fault(
            "two caps alike", ["cap/week-again": #"{"classes": ["marketing"], "most": 3, "within": 604800}"#], "cap/week-again$.most",
            "cap/week stops"),
        Fault(
            "a cap for events that are all mandatory",
            [
                "event/law": event(15, #""class": "service", "mandatory": true, "plan": "both""#),
                "cap/law": #"{"classes": ["service"], "most": 5, "within": 86400}"#,
            ], "cap/law$.classes", "counts nothing"),
        Fault(
            "quiet hours that nobody is for", ["quiet-hours/spare": #"{"windows": [{"from": "20:00", "until": "21:00"}]}"#],
            "quiet-hours/spare$", "no event names it"),
        Fault(
            "quiet hours of a class whose events have their own",
            [
                "event/notice": event(14, #""class": "service", "everyone": true, "plan": "both", "quietHours": "own""#),
                "quiet-hours/calm": #"{"classes": ["service"], "windows": [{"from": "22:00", "until": "08:00"}]}"#,
                "quiet-hours/own": #"{"windows": [{"from": "20:00", "until": "21:00"}]}"#,
            ], "quiet-hours/calm$", "quiet hours of its own"),
        Fault(
            "a window within others",
            [
                "quiet-hours/night":
                    #"{"classes": ["marketing"], "windows": [{"from": "22:00", "until": "08:00"}, {"days": ["sunday"], "from": "23:00", "until": "07:30"}]}"#
            ], "quiet-hours/night$.windows[1]", "adds nothing"),
        Fault(
            "hours that are always quiet",
            [
                "event/notice": notice,
                "quiet-hours/calm":
                    #"{"classes": ["service"], "windows": [{"from": "20:00", "until": "08:00"}, {"from": "08:00", "until": "20:00"}]}"#,
            ], "quiet-hours/calm$.windows", .error, "every minute of the week is quiet"),
        Fault(
            "news that a night makes stale",
            [
                "event/notice": event(14, #""class": "service", "everyone": true, "plan": "both", "deadline": 7200"#),
                "quiet-hours/calm":
                    #"{"classes": ["service"], "windows": [{"from": "22:00", "until": "08:00"}, {"days": ["saturday"], "from": "20:00", "until": "10:00"}]}"#,
            ], "event/notice$.deadline", "quiet-hours/calm lasts up to 14 hours, from Saturday 20:00"),
        Fault(
            "a plan whose waits add up beyond the deadline",
            [
                "plan/both":
                    #"{"steps": [{"channels": ["push"], "wait": 1800}, {"channels": ["sms"], "wait": 1800}, {"channels": ["push", "sms"]}]}"#
            ], "event/paid$.deadline", .error, "begins after 1 hour, when it is past its deadline of 1 hour"),
        Fault(
            "events that complete each other",
            [
                "event/first": event(15, action("due", "second")), "event/second": event(16, action("due", "third")),
                "event/third": event(17, action("due", "first")),
            ], "event/first$.actionRequired.completedBy", .error,
            "completed by event/second, that by event/third, that by event/first"),
        Fault(
            "a step that goes the way of one before it",
            [
                "plan/both":
                    #"{"steps": [{"channels": ["sms", "push"], "wait": 60}, {"channels": ["email"], "wait": 60}, {"channels": ["push", "sms"]}]}"#
            ], "plan/both$.steps[2]", "the same way as step 1"),
    ]

    static func action(_ due: String, _ by: String) -> String {
        #""class": "action_required", "everyone": true, "plan": "both", "parameters": [{"name": "\#(due)", "type": "date"}], "actionRequired": {"due": "\#(due)", "completedBy": "\#(by)"}"#
    }

    @Test("Each fault is found at its place, with words and a remedy, and nothing else is", arguments: faults)
    func fault(_ fault: Fault) throws {
        let (_, findings) = try DecidingRulesTests.compile(fault.changes)
        #expect(findings.map(\.path) == [fault.path], "\(findings)")
        let found = try #require(findings.first { $0.path == fault.path })
        #expect(found.severity == fault.severity && found.message.contains(fault.words) && !found.remedy.isEmpty, "\(found)")
    }

    /// The same as a fault, but for what makes it one.
    static let sound: [[String: String]] = [
        // One event of the class follows the matrix.
        [
            "event/offer": offer,
            "event/other": event(14, #""class": "marketing", "everyone": true, "purpose": "offers", "published": false"#),
        ],
        // Blocked customers hear of security, unless a rule says otherwise.
        ["suppression/left": #"{"statuses": ["closed", "blocked"], "classes": ["security"]}"#],
        ["suppression/some": #"{"statuses": ["active", "deceased"], "classes": ["service"]}"#],
        // Neither is within the other.
        ["suppression/more": #"{"segments": [13, 14], "tiers": [2], "classes": ["marketing"]}"#],
        ["suppression/more": #"{"segments": [14], "classes": ["marketing", "service"]}"#],
        // Of lists of the bank; what is mandatory is held back by the other one alone.
        [
            "suppression/more": #"{"lists": [16], "classes": ["marketing"]}"#,
            "suppression/most": #"{"lists": [17, 18], "classes": ["marketing"]}"#,
        ],
        [
            "suppression/more": #"{"lists": [16], "classes": ["service"]}"#,
            "suppression/most": #"{"lists": [16], "mandatory": true, "classes": ["service"], "channels": ["sms"]}"#,
        ],
        ["cap/day": #"{"classes": ["marketing"], "most": 2, "within": 86400}"#],
        ["cap/long": #"{"classes": ["marketing"], "most": 5, "within": 2000000}"#],
        ["cap/all": #"{"classes": ["marketing", "service"], "most": 5, "within": 86400}"#],
        // Ready for events to come.
        ["cap/law": #"{"classes": ["service"], "most": 5, "within": 86400}"#],
        ["quiet-hours/calm": #"{"classes": ["service"], "windows": [{"from": "00:00", "until": "23:59"}]}"#],
        [
            "quiet-hours/night":
                #"{"classes": ["marketing"], "windows": [{"from": "22:00", "until": "08:00"}, {"days": ["sunday"], "from": "21:59", "until": "07:30"}]}"#
        ],
        // Ten hours are less than ten and a second; a draft is looked at when it is published.
        [
            "event/notice": event(14, #""class": "service", "everyone": true, "plan": "both", "deadline": 36001"#),
            "event/draft": event(15, #""class": "service", "everyone": true, "plan": "both", "deadline": 60, "published": false"#),
            "quiet-hours/calm": #"{"classes": ["service"], "windows": [{"from": "22:00", "until": "08:00"}]}"#,
        ],
        // The mail that nobody writes is skipped at once.
        ["plan/both": #"{"steps": [{"channels": ["email"], "wait": 3600}, {"channels": ["push"], "wait": 3599}, {"channels": ["sms"]}]}"#],
        // A chain has an end.
        [
            "event/first": event(15, action("due", "second")), "event/second": event(16, action("due", "third")),
            "event/third": event(17, #""class": "service", "everyone": true, "plan": "both""#),
        ],
    ]

    @Test("What only looks like a fault is none", arguments: sound)
    func noFault(_ changes: [String: String]) throws {
        let (_, findings) = try DecidingRulesTests.compile(changes)
        #expect(findings.isEmpty, "\(findings)")
    }

    @Test("An event none of whose channels can hand anything over is named where it is known which can")
    func served() throws {
        #expect(try DecidingRulesTests.compile([:], .init(served: ChannelSet(.push))).1.isEmpty)
        let (_, findings) = try DecidingRulesTests.compile([:], .init(served: ChannelSet([.email, .voice])))
        #expect(findings.map(\.path) == ["event/paid$.templates"] && findings.areUsable)
        #expect(findings.first?.remedy.hasSuffix("email, voice") == true, "\(findings)")
        // A plan has to go that way too.
        let sms = ["plan/both": #"{"steps": [{"channels": ["sms"]}]}"#]
        #expect(try DecidingRulesTests.compile(sms, .init(served: ChannelSet(.push))).1.count == 1)
    }

    @Test("A profile has at most a hundred windows, which are more than a week needs")
    func windows() throws {
        let windows = (0...QuietProfile.mostWindows).map { _ in #"{"from": "22:00", "until": "08:00"}"# }.joined(separator: ",")
        let (_, findings) = try DecidingRulesTests.compile(["quiet-hours/night": #"{"classes": ["marketing"], "windows": [\#(windows)]}"#])
        #expect(findings.map(\.message) == ["101 windows; 100 are the most"])
    }

    @Test("Rules that no person wrote are not compared with each other, and take no time")
    func many() throws {
        var changes: [String: String] = [:]
        for number in 0..<600 { changes["suppression/s\(number)"] = #"{"segments": [13], "classes": ["marketing"], "channels": ["sms"]}"# }
        #expect(try DecidingRulesTests.compile(changes).1.isEmpty)
    }

    @Test("The longest quiet time of a week goes over midnight and over Sunday, and is told by its day and hour")
    func week() {
        func longest(_ windows: [QuietProfile.Window]) -> String {
            QuietWeek(windows).longest.map { "\(QuietWeek.clock($0.from)) \($0.minutes)" } ?? "none"
        }
        #expect(longest([]) == "none")
        #expect(longest([.init(from: 1320, until: 480)]) == "Monday 22:00 600")
        #expect(longest([.init(days: [6], from: 1200, until: 1200)]) == "Sunday 20:00 1440")
        #expect(longest([.init(days: [5, 6], from: 0, until: 0), .init(days: [6], from: 1380, until: 365)]) == "Saturday 00:00 3245")
        #expect(QuietWeek([.init(from: 0, until: 0)]).isAlways && QuietWeek([.init(from: 0, until: 0)]).longest == nil)
        #expect(LengthOfTime.words(1) == "1 second" && LengthOfTime.words(0) == "0 seconds" && LengthOfTime.words(90) == "90 seconds")
        #expect(LengthOfTime.words(5400) == "90 minutes" && LengthOfTime.words(3600) == "1 hour" && LengthOfTime.words(86_400) == "1 day")
    }
}
