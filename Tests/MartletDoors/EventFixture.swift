import MartletModel
import NIOCore

@testable import MartletDoors

/// Events as a rulebook would have them, and what senders say of them.
enum EventFixture {
    static let payment = EventDefinition(
        key: "card_payment", number: 12, type: 0, messageClass: .transactional,
        parameters: [
            EventParameter(name: "amount", type: .money, dataClass: .financial),
            EventParameter(name: "card", type: .text, dataClass: .identifier, maximumBytes: 19),
            EventParameter(name: "shop", type: .text, assumed: .text("")),
            EventParameter(name: "reference", type: .text, assumed: .text("")),
        ], threshold: 0, card: 1, templates: [.sms: "card-payment"])

    /// One parameter of each type, all of them required but the last two.
    static let everything = EventDefinition(
        key: "everything", number: 13, type: 0, messageClass: .service,
        parameters: [
            EventParameter(name: "place", type: .text, maximumBytes: 7), EventParameter(name: "count", type: .integer),
            EventParameter(name: "rate", type: .decimal), EventParameter(name: "amount", type: .money),
            EventParameter(name: "day", type: .date), EventParameter(name: "hour", type: .time),
            EventParameter(name: "at", type: .instant, assumed: .instant(0, offset: 0)),
            EventParameter(name: "flag", type: .boolean, assumed: .boolean(false)),
        ], templates: [.sms: "everything"])

    static let offer = EventDefinition(key: "offer", number: 14, type: 0, messageClass: .marketing, templates: [.sms: "offer"])

    /// Texts that fill what is kept of an event.
    static let long = EventDefinition(
        key: "long", number: 15, type: 0, messageClass: .service,
        parameters: (0..<8).map { EventParameter(name: "text\($0)", type: .text, assumed: .text("")) }, templates: [.sms: "long"])

    static let catalogue = EventCatalogue(generation: 1, release: 7, [payment, everything, long, offer])

    static let parameters = #"{"amount":{"amount":"125.50","currency":"UAH"},"card":"4111111111111111","shop":"Kava 7"}"#
    static let body = #"{"definition":"card_payment","customer":"40-118-220","parameters":\#(parameters)}"#
}

extension DoorBench {
    /// One whose node has a rulebook with the events of the fixture.
    static func withEvents(settings: HTTPSettings = HTTPSettings()) throws -> DoorBench {
        let bench = try DoorBench(settings: settings)
        bench.intake.catalogue = EventFixture.catalogue
        return bench
    }
}

/// A well-formed POST of an event.
func event(_ body: String = EventFixture.body, key: String? = "KEY", extra: String = "", path: String = "/v1/events") -> String {
    post(body, key: key, extra: extra, path: path)
}
