import Testing

@testable import Templates

/// Where a value stands in markup decides what keeps it a text; what is refused is refused when the template is compiled.
@Suite("Markup")
struct MarkupTests {
    private func codes(_ template: String, partials: [String: String] = [:]) throws -> [TemplateFinding.Code] {
        try findings(template, kind: .html, partials: partials).map(\.code)
    }

    @Test(
        "An address that runs or reads something is refused, however it is written",
        arguments: [
            #"<a href="javascript:alert(1)">x</a>"#, "<a href='javascript:alert(1)'>x</a>", "<a href=javascript:alert(1)>x</a>",
            #"<a href="JaVaScRiPt:alert(1)">x</a>"#, "<a href=\"  javascript:x\">", "<a href=\"\n\u{1}javascript:x\">",
            "<a href=\"java\tscript:x\">",
            "<a href=\"java\nscript:x\">", #"<a href="&#106;avascript:x">"#, #"<a href="java&Tab;script:x">"#,
            #"<a href="javascript&colon;x">"#,
            #"<a href="java{{! nothing }}script:x">"#, #"<A HREF = "javascript:x">"#, #"<a title="x"href="javascript:x">"#,
            #"<a/href="javascript:x">"#,
            #"<img src="data:text/html,x">"#, #"<iframe src="vbscript:x">"#, #"<form action="javascript:x">"#,
            #"<button formaction="javascript:x">"#,
            #"<object data="data:text/html,x">"#, #"<svg><a xlink:href="javascript:x">"#, #"<a href="blob:x">"#, #"<a href="file:///etc">"#,
            #"<a href="https:bank.example">"#, #"<a href="https://bank.example@else.example/">"#,
            #"<a href="https://bank.example\@else.example/">"#,
            #"<a href="//bank.example@else.example/">"#, #"<a href="/\else.example/">"#, #"<a href="https:///x">"#, #"<a href="https://">"#,
            #"<!--[if mso]><a href="javascript:x">x</a><![endif]-->"#, #"<style>a > b { }</style><a href="javascript:x">"#,
            #"<!-- <a title=" --><a href="javascript:x">"#, #"<!--><a href="javascript:x">"#, #"{{#a}}<a href="javascript:x">{{/a}}"#,
            #"<p {{#a}}class="b"{{/a}}><a {{#a}}href="javascript:x"{{/a}}>"#,
        ])
    func refused(template: String) throws {
        #expect(try codes(template) == [.unsafeAddress], "\(template)")
    }

    @Test(
        "No value, section or partial decides where an address leads",
        arguments: [
            #"<a href="{{v}}">"#, #"<img src='{{v}}'>"#, #"<a href="{{v}}://x">"#, #"<a href="https:{{v}}">"#,
            #"<a href="https://{{v}}/">"#,
            #"<a href="https://bank{{v}}/">"#, #"<a href="https://bank.example{{v}}">"#, #"<a href="//{{v}}">"#, #"<a href="/{{v}}">"#,
            #"<a href="x{{v}}">"#,
            #"<a href="{{#v}}https://bank.example/{{/v}}">"#, #"<a href="java{{^v}}x{{/v}}script:x">"#, #"<a href="{{>p}}">"#,
            #"<a href=" {{v}}">"#,
        ])
    func undecided(template: String) throws {
        let found = try codes(template, partials: ["p": "javascript:x"])
        #expect(found.first == .unsafeAddress && Set(found).isSubset(of: [.unsafeAddress, .unsafePlace]), "\(template): \(found)")
    }

    @Test(
        "No value stands where no escape keeps it a text, and nothing that runs is written",
        arguments: [
            "<td width={{v}}>", "<td width=a{{v}}>", "<{{v}}>", "<a{{v}}>", "<a {{v}}>", "<a x{{v}}=\"\">", "</{{v}}>",
            "<style>{{v}}</style>", "<!DOCTYPE {{v}}>",
            "<script>x</script>", "<SCRIPT src=\"https://bank.example/\">", #"<p onclick="x">"#, #"<img OnError="x">"#,
            #"<iframe srcdoc="x">"#,
            "<{{#a}}b{{/a}}>", "<td width={{#a}}1{{/a}}>", #"<a href{{#a}}x{{/a}}="javascript:x">"#,
            #"<a hr{{#a}}{{/a}}ef="javascript:x">"#,
            #"<a {{#a}}href{{/a}}="javascript:x">"#, #"<a href {{#a}}title{{/a}} ="javascript:x">"#, #"{{#a}}<a title="{{/a}}"#,
            #"<a title="{{#a}}">{{/a}}<b>"#,
            #"{{#a}}<!--{{/a}} <a href="https://bank.example/"> -->"#, "{{>open}}",
        ])
    func places(template: String) throws {
        let found = try codes(template, partials: ["open": #"<a title=""#])
        #expect(found.first == .unsafePlace && Set(found).isSubset(of: [.unsafePlace, .unsafeAddress]), "\(template): \(found)")
    }

    @Test(
        "What mails are made of is taken",
        arguments: [
            #"<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN"><html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head>"#,
            #"<meta http-equiv="Content-Type" content="text/html; charset=utf-8"><style type="text/css">a > b::before { content: "<" }</style>"#,
            ##"<a href="https://bank.example">x</a><a href='https://bank.example:8443/a?b={{v}}&amp;c=d#e'>{{v}}</a><a href="">x</a><a href="#top">x</a>"##,
            #"<a href="bank://card/{{v}}"><a href="BANK:x"><a href="mailto:help@bank.example"><a href="tel:+44123"><img src="/i/name.png" alt="{{v}}">"#,
            #"<a href=https://bank.example/x target=_blank>x</a><td width=600 style="color: {{v}}" data-x='{{v}}'/><br/>"#,
            #"<td{{#a}} class="late"{{/a}}><tr {{#a}}class="{{v}}"{{/a}}{{^a}}hidden{{/a}}><p class="{{#a}}b{{/a}} c">{{v}}"#,
            #"<a href="https://bank.example/{{#a}}?x={{v}}{{/a}}">x</a><a {{#a}}href="https://one.example/"{{/a}}{{^a}}href="https://two.example/"{{/a}}>"#,
            "5 < 6 {{v}} < {{v}} <3 a<b>{{v}}</b> <!-- {{v}} > <a --> {{>p}}<!--[if mso]><table><![endif]--> <? x ?> </ x> {{v}}",
            #"<a title="javascript:x {{v}} > {{>p}}" hrefs="{{v}}">javascript:</a>"#, "{{#a}}<tr>{{/a}}{{^a}}<td>{{/a}}",
        ])
    func taken(template: String) throws {
        #expect(try findings(template, kind: .html, partials: ["p": "{{v}}{{#a}}!{{/a}}"]).map(\.reason) == [], "\(template)")
    }

    @Test("A value in an address of markup leaves its part of it nowhere; beside it the same value is a text")
    func escapes() throws {
        let value = Value.text(#"javascript:"><a&?#/é"#)
        let address = "javascript%3A%22%3E%3Ca%26%3F%23%2F%C3%A9"
        let text = "javascript:&quot;&gt;&lt;a&amp;?#/é"
        let template =
            #"<a title="{{v}}" href="https://bank.example/{{v}}" {{#v}}src='bank:{{v}}'{{/v}}>{{v}}{{>p}}</a><a href="bank:{{>p}}">"#
        let expected =
            #"<a title="\#(text)" href="https://bank.example/\#(address)" src='bank:\#(address)'>\#(text)\#(text)</a><a href="bank:\#(address)">"#
        #expect(try rendered(template, [("v", value)], kind: .html, partials: ["p": "{{v}}"]) == expected)
        #expect(try rendered(#"<a href="bank:{{w | default: "a b"}}">"#, kind: .html) == #"<a href="bank:a%20b">"#)
        // Each letter of it may become twelve.
        let compiled = try Template(#"<a href="bank:{{v}}">"#, Template.Options(.html, .en))
        #expect(compiled.check(.record([.init("v", .text(letters: 2))])).length.most == 16 + 24)
        #expect(compiled.uses.map(\.isInAddress) == [true])
    }

    @Test("A mistake is told at its place, in the partial where it stands, and each but once")
    func told() throws {
        let found = try findings("<p>\n  {{>p}}\n{{>p}}", kind: .html, partials: ["p": "x\n<a href=\"javascript:x\" onclick='y'>"])
        #expect(found.map(\.line) == ["unsafe_address p 2:20", "unsafe_place p 2:31"])
        #expect(found.first?.reason.contains("`javascript:`") == true && found.last?.reason.contains("`onclick`") == true)
    }

    @Test("Other schemes may be refused, and the check left out; plain texts are not markup")
    func options() throws {
        #expect(try findings(#"<a href="http://x/">"#, kind: .html).isEmpty)
        #expect(try findings(#"<a href="http://x/">"#, kind: .html) { $0.refusedSchemes = ["http"] }.map(\.code) == [.unsafeAddress])
        #expect(try findings(#"<a href="{{v}}" onclick="x">"#, kind: .html) { $0.checksMarkup = false }.isEmpty)
        #expect(try findings(#"<a href="{{v}}" onclick="x">"#).isEmpty)
    }
}
