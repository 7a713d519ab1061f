public import Calendar
public import MartletModel
import SMSText
import Templates

/// What customers would read of one event over one channel, for who writes it: compiled and written by the code that writes what is sent, whatever else
/// is wrong with the rulebook.
public struct WordingPreview: Sendable {
    public enum Missing: Error, Equatable, Sendable {
        case event
        /// The event names none for the channel, or one that is not there.
        case template
    }

    /// As its content could be read.
    public let event: EventDefinition
    public let channel: ChannelKind
    public let template: TemplateContent
    public let override: OverrideContent?
    /// Of the event, its template, its override and the partials that they put in; the same that publishing finds there.
    public let findings: [RulebookFinding]
    private let zones: ZoneNames
    private let texts: [WordingCompiler.Compiled.Language]

    /// - Parameter named: the template that is looked at in the place of the one that the event names, without its channel.
    public init(
        _ source: RulebookSource, in surroundings: Rulebook.Surroundings, event key: String, over channel: ChannelKind,
        template named: String? = nil
    ) throws(Missing) {
        var surroundings = surroundings
        if surroundings.templates == nil { surroundings.templates = WordingObjects.names(source) }
        var (rulebook, found) = Rulebook.compile(
            named.map { source.naming(template: $0, in: key, over: channel) } ?? source, in: surroundings)
        guard let place = rulebook.decisions.events.firstIndex(where: { $0.key == key }) else { throw .event }
        // What could not be read of the event is no reason not to look at the text.
        if let named { rulebook.decisions.events[place].templates[channel] = named }
        let isBroken = found.contains { $0.severity == .error && $0.path.hasPrefix("event/\(key)$") }
        var compiler = WordingCompiler(rulebook, parts: surroundings.parts, pictureHosts: surroundings.pictureHosts)
        guard let compiled = compiler.run(event: place, over: channel, isBroken: isBroken) else { throw .template }
        let names = Set(
            ["event/\(key)", compiled.template.name, "override/\(key).\(channel.word)"] + compiler.usedPartials.map { "partial/\($0)" })
        found.removeAll { !names.contains(String($0.path.prefix { $0 != "$" })) }
        (event, self.channel) = (rulebook.decisions.events[place], channel)
        (template, override, texts) = (compiled.template, compiled.override, compiled.texts)
        (findings, zones) = (found + compiler.findings, rulebook.decisions.zones)
    }

    public func locale(of customer: borrowing Customer) -> CustomerLocale { zones.locale(of: customer) }
    /// The IANA name of the customer's zone; nil: UTC.
    public func zone(of customer: borrowing Customer) -> String? { zones.name(of: customer) }
    /// The same of a customer who has none of his own, nor a unit that has.
    public var zone: String? { zones.assumed.map { zones.names[$0] } }

    /// - Parameter file: the bytes of a zone as tzdata installs it.
    /// - Returns: nil: it is none.
    public static func zone(_ file: [UInt8]) -> Zone? {
        do throws(TZifFault) { return try Zone(tzif: file) } catch { return nil }
    }

    /// Why a text stands in the language that it does.
    public enum Reason: String, CaseIterable, Sendable {
        /// It is the one that was asked for.
        case asked
        /// There is none of the country's own.
        case language
        /// There is none in the language, or no language is known.
        case standard
    }

    /// What is written with one set of values.
    public struct Written: Sendable {
        /// Of the text, as it has it.
        public var locale: String
        public var reason: Reason
        /// Whether the override's text is taken.
        public var isOverridden: Bool
        /// In the order of the form.
        public var fields: [Field] = []
        /// Of a short message that could be written.
        public var sms: SMS?
    }

    public struct Field: Equatable, Sendable {
        /// `text`, `title`, `buttons[0].label`.
        public var name: String
        public var place: WordingPlace
        /// Nil: it cannot be written.
        public var text: String?
        /// Nil where a mistake of the text is among the findings.
        public var fault: WordingFault?
    }

    /// - Parameters:
    ///   - values: in the definition's order it is quickest.
    ///   - zone: where the customer's clocks are; nil: UTC.
    ///   - texts: how operators want texts.
    ///   - group: whose operator counts; nil: by the standard rules.
    ///   - limit: parts that the node sends at most.
    /// - Returns: nil: no language has a text, which is among the findings.
    public func write(
        _ values: [EventPayload.NamedValue], _ details: CustomerDetails, _ locale: CustomerLocale, _ zone: Zone?,
        texts rules: Texts = Texts(),
        group: GroupNumber? = nil, limit: Int
    ) -> Written? {
        let codes: ContiguousArray<CustomerLocale> = ContiguousArray(texts.map { CustomerLocale($0.locale) ?? CustomerLocale.none })
        guard !texts.isEmpty else { return nil }
        let standard = texts.firstIndex { $0.locale == template.standard } ?? 0
        let place = Wording.place(of: locale, in: codes, standard: standard)
        let language = texts[place]
        let reason: Reason =
            locale != .none && codes[place] == locale ? .asked : locale != .none && codes[place] == locale.language ? .language : .standard
        var written = Written(locale: language.locale, reason: reason, isOverridden: language.isOverridden)
        let record = WordingFields(event).record(values, details, zone ?? .utc)
        for (piece, program) in language.pieces {
            var field = Field(name: piece.name, place: piece.place)
            if let program {
                do throws(WordingFault) {
                    if channel == .sms {
                        let rules = group.flatMap { rules[$0] } ?? .standard
                        field.text = try short(program, record, rules, limit)
                        (written.sms, field.fault) = count(field.text ?? "", rules, limit)
                    } else {
                        field.text = try Wording.text(program, record)
                    }
                } catch {
                    field.fault = error
                }
            }
            written.fields.append(field)
        }
        return written
    }

    /// Written as it would be sent, shortened where it may be; what is too long to be sent is shown all the same.
    private func short(
        _ program: Template, _ record: Templates.Record, _ rules: TextRules, _ limit: Int
    ) throws(WordingFault) -> String {
        do throws(WordingFault) {
            return try Wording.write(
                program, record,
                count: { text throws(TextFault) in
                    let (plan, shape) = try rules.plan(text)
                    return Engine.TextCount(parts: plan.parts, submits: plan.submits, shape: shape.code)
                }, wanted: min(template.parts ?? limit, limit), limit: .max
            ).text
        } catch {
            // What the operator has no alphabet for is shown as it is.
            guard error == .noAlphabet else { throw error }
            return try Wording.text(program, record)
        }
    }
}

extension RulebookSource {
    /// The same with another template named by an event: so it is compiled with it, whether the event's own is there or not.
    fileprivate func naming(template: String, in event: String, over channel: ChannelKind) -> RulebookSource {
        var it = self
        for place in it.objects.indices where it.objects[place].kind == .event && it.objects[place].key == event {
            guard case .object(var fields) = it.objects[place].content else { continue }
            var named: [String: JSONValue] = [:]
            if case .object(let own)? = fields["templates"] { named = own }
            named[channel.word] = .text(template)
            fields["templates"] = .object(named)
            it.objects[place].content = .object(fields)
        }
        return it
    }
}
