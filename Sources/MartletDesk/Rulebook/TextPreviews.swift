public import MartletEngine
public import MartletModel
import SQL

/// What of the rulebook's texts somebody wants to see, and filled with what.
public struct TextWish: Sendable, Decodable {
    /// An object as it is looked at: a draft that is not written yet, a version, or (neither) the newest one.
    public struct Object: Sendable, Decodable {
        public var kind: String
        public var key: String
        public var version: Int64?
        public var content: JSONValue?

        public init(kind: RulebookKind, key: String, version: Int64? = nil, content: JSONValue? = nil) {
            (self.kind, self.key, self.version, self.content) = (kind.rawValue, key, version, content)
        }
    }

    public struct Names: Sendable, Decodable {
        public var givenName: String?
        public var familyName: String?
    }

    public var event: String
    public var channel: String
    /// Key of the template, without its channel, in the place of the one that the event names.
    public var template: String?
    /// Whose objects are looked at; not there: what would be published now, with all drafts of the caller's units.
    public var release: Int64?
    /// In the place of what is there.
    public var objects: [Object]?
    /// As the event has them; not there: invented ones.
    public var parameters: JSONValue?
    public var locale: String?
    /// IANA name of the customer's zone.
    public var zone: String?
    public var names: Names?
    /// Whose names, language and zone are taken; asks for the rights to see them and for a reason.
    public var customer: SubjectNumber?
    /// Connection group by whose operator's rules a short message is counted; not there: by the standard ones.
    public var group: String?

    public init(event: String, channel: String) {
        self.event = event
        self.channel = channel
    }

    static let mostObjects = 20
}

/// A text as customers would read it.
public struct TextPreview: Sendable {
    /// Where a language was taken from.
    public enum Origin: String, CaseIterable, Sendable { case request, customer, unit, none }

    public var preview: WordingPreview
    /// Nil: no language has a text that can be read; the findings say why.
    public var written: WordingPreview.Written?
    /// What was filled in, as an event's JSON has it.
    public var parameters: JSONValue
    public var locale: CustomerLocale
    public var origin: Origin
    public var zone: String
    /// Where uploaded pictures are found; nil: the bank did not say.
    public var pictureAddress: String?
}

extension Rulebooks {
    /// Writes one event over one channel as it would be sent. Nothing is stored; that a customer's names were looked at is an entry of the audit.
    /// - Throws: `.invalid` with everything of the wish that does not hold.
    public func preview(
        text wish: TextWish, of customers: Customers, by caller: Caller
    ) async throws(DeskFault) -> TextPreview {
        try caller.require(.readRulebook)
        if wish.customer != nil {
            try caller.require(.readCustomers)
            try caller.requireReveal()
        }
        let asked = try Asked(wish, world)
        let surroundings = try surroundings()
        let read: @Sendable (SQLSession) throws -> (RulebookSource, Rulebook.Surroundings) = { session in
            (
                try source(wish, try units.visibility(of: caller, session), session), try self.surroundings(surroundings, session)
            )
        }
        if let subject = wish.customer {
            let (objects, person) = try await desk.act(.readRulebook, by: caller) { session in
                let person = try customers.vault.opened(try customers.seen(subject, caller, session))
                return ((try read(session), person), AuditTrail.Line(act: .personalSeen, object: Customers.object(subject)))
            }
            return try written(wish, asked, objects.0, objects.1, person)
        }
        let objects = try await desk.read(.readRulebook, by: caller) { try read($0) }
        return try written(wish, asked, objects.0, objects.1, nil)
    }

    /// What of a wish is read without the store.
    private struct Asked {
        var channel = ChannelKind.sms
        var locale: CustomerLocale?
        var texts = Texts()
        var group: GroupNumber?

        init(_ wish: TextWish, _ world: World) throws(DeskFault) {
            var checks = FieldChecks()
            if let channel = ChannelKind(word: wish.channel) {
                self.channel = channel
            } else {
                checks.add("channel", "unknown", CustomerText.channels)
            }
            if let text = wish.locale {
                locale = CustomerLocale(text)
                if locale == nil || text.isEmpty { checks.add("locale", "malformed", "uk, or uk-UA for a country's own text") }
            }
            if let template = wish.template, !RulebookObject.isKey(template) { checks.add("template", "malformed", "it is no key") }
            let objects = wish.objects ?? []
            if objects.count > TextWish.mostObjects { checks.add("objects", "too_many", "at most \(TextWish.mostObjects)") }
            for (place, object) in objects.prefix(TextWish.mostObjects).enumerated() {
                if RulebookKind(rawValue: object.kind) == nil { checks.add("objects[\(place)].kind", "unknown", Asked.kinds) }
                if !RulebookObject.isKey(object.key) { checks.add("objects[\(place)].key", "malformed", "it is no key") }
                if object.version != nil, object.content != nil {
                    checks.add("objects[\(place)].version", "not_allowed", "a content of its own has no version")
                }
            }
            if wish.customer != nil, wish.names != nil { checks.add("names", "not_allowed", "they are the customer's") }
            for (field, name) in [("names.givenName", wish.names?.givenName), ("names.familyName", wish.names?.familyName)] {
                if let name { checks.text(field, name, 0...256) }
            }
            if let zone = wish.zone, world.zoneFile(zone) == nil { checks.add("zone", "unknown", "a name of the IANA list") }
            if let group = wish.group {
                do {
                    let (texts, groups) = try world.texts()
                    (self.texts, self.group) = (texts, groups[group])
                } catch {
                    throw .broken("how operators want texts cannot be read: \(error)")
                }
                if self.group == nil { checks.add("group", "unknown", "there is no connection of this group") }
            }
            try checks.finish()
        }

        private static let kinds = "one of \(RulebookKind.allCases.map(\.rawValue).joined(separator: ", "))"
    }

    /// The objects that are looked at, as far as the caller sees them.
    private func source(_ wish: TextWish, _ visibility: Visibility, _ session: SQLSession) throws -> RulebookSource {
        let parts =
            if let release = wish.release {
                try self.parts(try find(release, session), session)
            } else {
                try candidate(RulebookSelection(), visibility, session).new
            }
        var objects: [String: RulebookObject] = [:]
        for part in parts where visibility.sees(part.unit) { objects[part.object.name] = part.object }
        for (place, wanted) in (wish.objects ?? []).enumerated() {
            guard let kind = RulebookKind(rawValue: wanted.kind) else { continue }
            let name = "\(kind.rawValue)/\(wanted.key)"
            if let content = wanted.content {
                objects[name] = RulebookObject(
                    kind: kind, key: wanted.key, version: 0, content: content.numbered(as: objects[name]?.content))
                continue
            }
            let entry: RulebookEntry
            do {
                entry = try find(kind, wanted.key, visibility, session)
            } catch DeskFault.notFound {
                throw DeskFault.invalid([FieldFault("objects[\(place)].key", "unknown", "there is no \(name)")])
            }
            let number = wanted.version ?? entry.newest
            let version: RulebookVersion
            do {
                version = try content(of: entry.number, number, "\(name)@\(number)", session)
            } catch DeskFault.notFound {
                throw DeskFault.invalid([FieldFault("objects[\(place)].version", "unknown", "\(name) has no version \(number)")])
            }
            objects[name] = RulebookObject(kind: kind, key: wanted.key, version: number, content: version.content ?? .null)
        }
        return RulebookSource(number: wish.release ?? 0, at: 0, objects: Array(objects.values))
    }

    private func written(
        _ wish: TextWish, _ asked: Asked, _ source: RulebookSource, _ surroundings: Rulebook.Surroundings, _ person: OpenedCustomer?
    ) throws(DeskFault) -> TextPreview {
        let preview: WordingPreview
        do throws(WordingPreview.Missing) {
            preview = try WordingPreview(source, in: surroundings, event: wish.event, over: asked.channel, template: wish.template)
        } catch {
            switch error {
            case .event: throw .invalid([FieldFault("event", "unknown", "there is no such event")])
            case .template:
                throw .invalid([
                    FieldFault(
                        wish.template == nil ? "channel" : "template", "unknown",
                        wish.template == nil ? "the event has no template for this channel" : "there is no such template of this channel")
                ])
            }
        }
        let parameters = wish.parameters ?? EventExample.values(preview.event.parameters, now: desk.now())
        let (values, faults) = preview.event.values(parameters)
        guard faults.isEmpty else { throw .invalid(faults.map { FieldFault($0.path, $0.code, $0.message) }) }
        let named = zip(preview.event.parameters, values).compactMap { parameter, value in
            value.map { EventPayload.NamedValue(parameter.name, $0) }
        }
        let details =
            person?.details
            ?? CustomerDetails(givenName: wish.names?.givenName ?? "Anna", familyName: wish.names?.familyName ?? "Example")
        let own: CustomerLocale = if let person { preview.locale(of: person.customer) } else { .none }
        let origin: TextPreview.Origin =
            asked.locale != nil ? .request : own == .none ? .none : person?.customer.locale == own ? .customer : .unit
        let locale = asked.locale ?? own
        let usual = if let person { preview.zone(of: person.customer) } else { preview.zone }
        let zone = wish.zone ?? usual
        let file = zone.flatMap { world.zoneFile($0) }.flatMap { WordingPreview.zone($0) }
        let written = preview.write(
            named, details, locale, file, texts: asked.texts, group: asked.group, limit: surroundings.parts)
        return TextPreview(
            preview: preview, written: written, parameters: parameters, locale: locale, origin: origin,
            zone: file == nil ? "UTC" : zone ?? "UTC", pictureAddress: try pictureAddress())
    }
}

extension JSONValue {
    /// A draft of what was given a number has that number, whether it says so or not.
    fileprivate func numbered(as other: JSONValue?) -> JSONValue {
        guard case .object(var fields) = self, fields["number"] == nil, let number = other?["number"] else { return self }
        fields["number"] = number
        return .object(fields)
    }
}
