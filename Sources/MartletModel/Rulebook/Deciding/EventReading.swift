extension EventDefinition {
    private static let fields: Set<String> = [
        "number", "type", "class", "published", "mandatory", "everyone", "purpose", "parameters", "conditions", "threshold", "account",
        "card",
        "deadline",
        "duplicates", "supersedes", "limit", "templates", "quietHours", "bestHour", "plan", "actionRequired", "note",
    ]

    /// The content of an `event` object; [the guide](docs/guides/events.md) has all fields.
    static func read(
        _ reading: DocumentReading, _ key: String, _ draft: RulebookDraft, _ surroundings: Rulebook.Surroundings,
        _ findings: inout [RulebookFinding]
    ) -> EventDefinition {
        reading.allow(fields, &findings)
        _ = reading.optionalText("note", maximumBytes: 200, &findings)
        let number = reading.integer("number", in: 1...65_535, &findings)
        let type = draft.place(.eventType, reading, "type", &findings)
        let messageClass = reading.word("class", of: MessageClass.words, &findings) ?? .service
        let parameters = parameters(reading, &findings)
        let places = ParameterPlaces(parameters: parameters)
        var event = EventDefinition(
            key: key, number: UInt16(number ?? 0), type: type ?? 0, messageClass: messageClass,
            isPublished: reading.flag("published", true, &findings), isMandatory: reading.flag("mandatory", false, &findings),
            isForEveryone: reading.flag("everyone", false, &findings),
            purpose: draft.optionalPlace(.purpose, reading, "purpose", &findings), parameters: parameters,
            conditions: PersonalCondition.list(reading, &findings),
            threshold: places.place(reading, "threshold", [.money], &findings),
            account: places.place(reading, "account", [.text], &findings), card: places.place(reading, "card", [.text], &findings),
            deadline: reading.optionalInteger("deadline", in: 1...longest, &findings),
            supersedes: places.list(reading, "supersedes", &findings), templates: templates(reading, surroundings, &findings),
            quiet: draft.optionalPlace(.quietHours, reading, "quietHours", &findings),
            plan: draft.optionalPlace(.plan, reading, "plan", &findings), isAtBestHour: reading.flag("bestHour", false, &findings))
        if let part = reading.object("duplicates") {
            part.allow(["by", "within"], &findings)
            let by = places.list(part, "by", &findings)
            let within = part.integer("within", in: 1...longest, &findings)
            if let within, within > longestMemory {
                part.error(
                    "within", "what came is remembered for a day, not for \(within) s", remedy: "write at most \(longestMemory)", &findings)
            }
            if by.isEmpty { part.error("by", "it names no parameter", remedy: "name those that make two events the same", &findings) }
            if let within { event.duplicates = Repetition(by: by, within: within) }
        }
        if let part = reading.object("limit") {
            part.allow(["most", "within"], &findings)
            let most = part.integer("most", in: 1...10_000, &findings)
            if let most, let within = part.integer("within", in: 1...86_400, &findings) {
                event.limit = Limit(most: Int(most), within: within)
            }
        }
        if let part = reading.object("actionRequired") { event.actionRequired = action(part, places, draft, &findings) }
        event.checkAlone(reading, &findings)
        return event
    }

    /// What an event says, as far as its content can be read; what is wrong with it is told by compiling.
    public static func parameters(of content: JSONValue) -> [EventParameter] {
        var findings: [RulebookFinding] = []
        return parameters(DocumentReading(content, path: ""), &findings)
    }

    private static func parameters(_ reading: DocumentReading, _ findings: inout [RulebookFinding]) -> [EventParameter] {
        var parameters: [EventParameter] = []
        let elements = reading.optionalList("parameters", &findings)
        if elements.count > mostParameters {
            reading.error("parameters", "\(elements.count) parameters; \(mostParameters) are the most", remedy: "write fewer", &findings)
        }
        for element in elements.prefix(mostParameters) {
            guard let parameter = EventParameter.read(element, &findings) else { continue }
            if parameters.contains(where: { $0.name == parameter.name }) {
                element.error("name", "another parameter has it already", remedy: "give each a name of its own", &findings)
            }
            parameters.append(parameter)
        }
        return parameters
    }

    private static func templates(
        _ reading: DocumentReading, _ surroundings: Rulebook.Surroundings, _ findings: inout [RulebookFinding]
    ) -> [ChannelKind: String] {
        guard let part = reading.object("templates") else { return [:] }
        part.allow(Set(ChannelKind.allCases.map(\.word)), &findings)
        var found: [ChannelKind: String] = [:]
        for channel in ChannelKind.allCases where part.field(channel.word) != nil {
            guard let key = part.optionalText(channel.word, maximumBytes: 64, &findings) else { continue }
            guard RulebookObject.isKey(key) else {
                part.error(channel.word, "it is no key of a template", remedy: "small letters, digits, -, _ and .", &findings)
                continue
            }
            if let templates = surroundings.templates, !templates.contains("\(channel.word)/\(key)") {
                part.error(channel.word, "there is no template \(channel.word)/\(key)", remedy: "write it, or name another", &findings)
            }
            found[channel] = key
        }
        return found
    }

    private static func action(
        _ reading: DocumentReading, _ places: ParameterPlaces, _ draft: RulebookDraft, _ findings: inout [RulebookFinding]
    ) -> ActionRequired? {
        reading.allow(["due", "completedBy", "by", "reminders"], &findings)
        let by = places.list(reading, "by", &findings)
        if !by.isEmpty, reading.field("completedBy") == nil {
            reading.error("by", "there is no completedBy", remedy: "name the event that says that it is done, or take by out", &findings)
        }
        let completedBy = draft.optionalPlace(.event, reading, "completedBy", &findings)
        var reminders: [Int64] = []
        let elements = reading.optionalList("reminders", &findings)
        for element in elements.prefix(mostReminders) {
            guard case .integer(let before) = element.value, (60...longest).contains(before) else {
                element.error(nil, "it is no number of seconds", remedy: "write how long before it is due, 60 to \(longest)", &findings)
                continue
            }
            if !reminders.contains(before) { reminders.append(before) }
        }
        if elements.count > mostReminders {
            reading.error("reminders", "\(elements.count) reminders; \(mostReminders) are the most", remedy: "write fewer", &findings)
        }
        guard reading.field("due") != nil else {
            reading.error("due", "it is missing", remedy: "name the parameter that says until when", &findings)
            return nil
        }
        guard let due = places.place(reading, "due", [.date, .instant], &findings) else { return nil }
        return ActionRequired(due: due, completedBy: completedBy, by: by, reminders: reminders.sorted(by: >))
    }

    /// What can be said of an event without looking at others.
    private func checkAlone(_ reading: DocumentReading, _ findings: inout [RulebookFinding]) {
        if templates.isEmpty {
            let remedy = "name a template for at least one channel, such as {\"sms\": \"...\"}"
            if isPublished {
                reading.error("templates", "a published event has none, so nobody could be told", remedy: remedy, &findings)
            } else {
                reading.warning("templates", "there is none yet", remedy: remedy, &findings)
            }
        }
        if messageClass.needsConsent, purpose == nil {
            reading.error(
                "purpose", "class \(messageClass.word) needs a consent", remedy: "name the purpose that customers consent to", &findings)
        }
        if isMandatory, messageClass.needsConsent {
            reading.error(
                "mandatory", "class \(messageClass.word) cannot be mandatory", remedy: "use another class, or take it out", &findings)
        }
        if messageClass == .actionRequired, actionRequired == nil {
            reading.error(
                "actionRequired", "it is missing", remedy: "say until when something is to be done, and which event says that it is",
                &findings)
        }
        if messageClass != .actionRequired, actionRequired != nil {
            reading.error("class", "it is not action_required", remedy: "use that class, or take actionRequired out", &findings)
        }
        if quiet != nil, messageClass.ignoresQuietHours {
            reading.error("quietHours", "messages of class \(messageClass.word) never wait", remedy: "take it out", &findings)
        }
        if isAtBestHour, messageClass.ignoresQuietHours {
            reading.error("bestHour", "messages of class \(messageClass.word) never wait", remedy: "take it out", &findings)
        }
        // Texts of these two classes are the only ones that nobody of the bank ever reads.
        if messageClass != .otp, messageClass != .security, let secret = parameters.first(where: { $0.dataClass == .secret }) {
            reading.error(
                "class", "\(secret.name) is secret, and texts of class \(messageClass.word) can be shown to staff",
                remedy: "use class otp or security, or give it another class of data", &findings)
        }
        // A secret goes where only the customer reads it.
        for parameter in parameters where parameter.dataClass == .secret && channels.contains(.email) {
            reading.error(
                "templates", "\(parameter.name) is secret and the event has a mail template", remedy: "take out the mail template",
                &findings)
        }
    }
}

/// Where the parameters stand that a definition names.
private struct ParameterPlaces {
    let parameters: [EventParameter]

    func place(_ reading: DocumentReading, _ field: String, _ types: [ParameterType], _ findings: inout [RulebookFinding]) -> Int? {
        guard reading.field(field) != nil, let name = reading.optionalText(field, maximumBytes: 40, &findings) else { return nil }
        guard let place = parameters.firstIndex(where: { $0.name == name }) else {
            reading.error(field, "the event has no such parameter", remedy: "name one of its parameters", &findings)
            return nil
        }
        guard types.contains(parameters[place].type) else {
            let words = types.map(\.word).joined(separator: " or ")
            reading.error(field, "the parameter is of type \(parameters[place].type.word)", remedy: "name one of type \(words)", &findings)
            return nil
        }
        return place
    }

    func list(_ reading: DocumentReading, _ field: String, _ findings: inout [RulebookFinding]) -> [Int] {
        var places: [Int] = []
        for element in reading.optionalList(field, &findings) {
            guard let name = element.asText(maximumBytes: 40, &findings) else { continue }
            guard let place = parameters.firstIndex(where: { $0.name == name }) else {
                element.error(nil, "the event has no such parameter", remedy: "name one of its parameters", &findings)
                continue
            }
            if !places.contains(place) { places.append(place) }
        }
        return places
    }
}
