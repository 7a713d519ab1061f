import Testing

@testable import MartletModel

@Suite("Words: classes, states, reasons, times")
struct WordsTests {
    @Test("The class table is the blueprint's")
    func classes() {
        let table: [(MessageClass, UInt8, String, Lane, Int64, AfterUnknown, AfterCrash)] = [
            (.security, 1, "security", .security, 3600, .sendAgainAtOnce, .sendAgain),
            (.employeeAlarm, 2, "employee_alarm", .security, 3600, .sendAgainAtOnce, .sendAgain),
            (.otp, 3, "otp", .otp, 180, .leave, .sendAgainIfYounger(seconds: 10)),
            (.transactional, 4, "transactional", .transactional, 86_400, .waitThenSendAgain(seconds: 30), .sendAgain),
            (.service, 5, "service", .service, 86_400, .sendAgainOnce, .sendAgain),
            (.actionRequired, 6, "action_required", .service, 86_400, .sendAgainOnce, .sendAgain),
            (.employeeInfo, 7, "employee_info", .service, 86_400, .sendAgainOnce, .sendAgain),
            (.marketing, 8, "marketing", .marketing, 172_800, .sendAgainOnce, .sendAgain),
        ]
        #expect(table.count == MessageClass.allCases.count)
        for (one, raw, word, lane, validity, unknown, crash) in table {
            #expect(one.rawValue == raw && one.word == word && one.lane == lane && one.validity == validity)
            #expect(one.afterUnknown == unknown && one.afterCrash == crash)
            #expect(MessageClass(word: word) == one)
        }
        #expect(MessageClass(word: "OTP") == nil)
    }

    @Test("A set of classes has the bits of their raw values")
    func classSets() {
        let some = ClassSet([.otp, .security])
        #expect(some.rawValue == 0b1010 && some.classes == [.security, .otp])
        #expect(some.contains(.otp) && !some.contains(.marketing) && ClassSet.all.classes == MessageClass.allCases)
    }

    @Test("Security and codes are strict, the others share by weight")
    func lanes() {
        #expect(Lane.allCases.map(\.word) == ["security", "otp", "transactional", "service", "marketing"])
        #expect(Lane.allCases.map(\.weight) == [0, 0, 8, 4, 1])
        #expect(Lane.allCases.filter(\.isStrict) == [.security, .otp])
    }

    @Test("States have their words and six of them are ends")
    func states() {
        let words = [
            "queued", "submitted", "sent", "delivered", "failed", "expired", "cancelled", "unknown", "suppressed", "received",
            "planned",
        ]
        #expect(MessageState.allCases.map(\.word) == words)
        #expect(MessageState.allCases.map(\.rawValue) == Array(1...11))
        #expect(MessageState.allCases.filter(\.isEnd) == [.delivered, .failed, .expired, .cancelled, .suppressed, .received])
        for state in MessageState.allCases { #expect(state.notificationWord == (state.isEnd ? state.word : "open")) }
    }

    @Test("Every reason has its own word and says what it means")
    func reasons() {
        #expect(Set(EndReason.allCases.map(\.word)).count == EndReason.allCases.count)
        #expect(EndReason.allCases.allSatisfy { !$0.doc.isEmpty })
        #expect(EndReason.none.word.isEmpty)
        #expect(EndReason.notSentInTime.word == "not_sent_in_time")
    }

    @Test("Receipt states have SMPP's numbers and words; two of them are passing")
    func receipts() {
        #expect(ReceiptState.allCases.map(\.rawValue) == Array(1...8))
        #expect(
            ReceiptState.allCases.map(\.word) == ["ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD"])
        #expect(ReceiptState.allCases.filter { !$0.isFinal } == [.enroute, .accepted])
    }

    @Test("Wall time is written in RFC 3339 with microseconds, before 1970 and on leap days too")
    func times() {
        #expect(timestamp(0) == "1970-01-01T00:00:00.000000Z")
        #expect(timestamp(-1) == "1969-12-31T23:59:59.999999Z")
        #expect(timestamp(1_582_979_696_789_012) == "2020-02-29T12:34:56.789012Z")
        #expect(timestamp(1_795_370_649_000_123) == "2026-11-22T18:04:09.000123Z")
        #expect(civil(-719_469) == (-1, 12, 31) || civil(-719_469).year < 1)
        let now = Instant(wall: 5_000, steady: 7)
        #expect(now.wallMilliseconds == 5)
        #expect(now.advanced(microseconds: 10) == Instant(wall: 5_010, steady: 17))
    }

    @Test("A submission without validity takes its class's; one with validity keeps it")
    func submissions() {
        let now = Instant(wall: 0, steady: 0)
        let number = PhoneNumber(digits: 447_700_900_123)
        let plain = Submission(source: 1, messageClass: .otp, to: number, from: "Bank", text: "1", receivedAt: now)
        #expect(plain.validity == 180 && plain.reference.isEmpty)
        let own = Submission(source: 1, messageClass: .otp, to: number, from: "Bank", text: "1", validity: 7, receivedAt: now)
        #expect(own.validity == 7)
    }

    @Test("What is declared once keeps what it was declared with")
    func declared() {
        let setting = Setting("a.b", .flag, default: "true", reload: .live, doc: "d")
        #expect(
            setting.path == "a.b" && setting.kind == .flag && setting.fallback == "true" && setting.reload == .live && setting.doc == "d")
        let metric = Metric("martlet_a_total", .counter, labels: ["lane"], doc: "d")
        #expect(metric.name == "martlet_a_total" && metric.kind == .counter && metric.labels == ["lane"] && metric.doc == "d")
        let code = ErrorCode("full", status: 503, title: "Full", remedy: "Later.")
        #expect(code.code == "full" && code.status == 503 && code.title == "Full" && code.remedy == "Later.")
        let source = Source(number: 3, name: "core", scopes: [.send])
        #expect(source.senders.isEmpty && source.classes.isEmpty && source.defaultSender == nil && source.defaultClass == .transactional)
        let status = ConnectionStatus(state: .bound, outstanding: 2, lastError: "", since: 9)
        #expect(status.state == .bound && status.outstanding == 2 && status.lastError.isEmpty && status.since == 9)
        #expect(StoryFault(reason: "r").reason == "r")
        let hop = Story.Hop(at: 1, hop: "send", what: "submitted")
        let attempt = Story.Attempt(n: 1, connection: "c", state: .sent, providerIDs: ["x"], submittedAt: 2, possibleDuplicate: true)
        let id = MessageID(high: 1, low: 2)
        let story = Story(
            id: id, source: 1, messageClass: .otp, state: .sent, reason: .none, parts: 1, createdAt: 1, updatedAt: 2, deadline: 3,
            reference: "r", from: "Bank", to: PhoneNumber(digits: 1), attempts: [attempt], hops: [hop])
        #expect(story.attempts.count == 1 && story.hops[0].details.isEmpty && story.id == id && story.attempts[0].possibleDuplicate)
    }
}
