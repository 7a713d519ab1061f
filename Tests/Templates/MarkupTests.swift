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
            #"<img src="data:text/html,x">"#, #"<img src="vbscript:x">"#, #"<form action="javascript:x">"#,
            #"<button formaction="javascript:x">"#,
            #"<td background="data:text/html,x">"#, #"<svg><a xlink:href="javascript:x">"#, #"<a href="blob:x">"#,
            #"<a href="file:///etc">"#,
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
            #"<a href=https://bank.example/x target=_blank>x</a><td width=600 style="color: red" data-x='{{v}}'/><br/>"#,
            #"<td{{#a}} class="late"{{/a}}><tr {{#a}}class="{{v}}"{{/a}}{{^a}}hidden{{/a}}><p class="{{#a}}b{{/a}} c">{{v}}"#,
            #"<a href="https://bank.example/{{#a}}?x={{v}}{{/a}}">x</a><a {{#a}}href="https://one.example/"{{/a}}{{^a}}href="https://two.example/"{{/a}}>"#,
            "5 < 6 {{v}} < {{v}} <3 a<b>{{v}}</b> <!-- {{v}} > <a --> {{>p}}<!--[if mso]><table><![endif]--> <? x ?> </ x> {{v}}",
            #"<a title="javascript:x {{v}} > {{>p}}" hrefs="{{v}}">javascript:</a>"#, "{{#a}}<tr>{{/a}}{{^a}}<td>{{/a}}",
        ])
    func taken(template: String) throws {
        #expect(try findings(template, kind: .html, partials: ["p": "{{v}}{{#a}}!{{/a}}"]).map(\.reason) == [], "\(template)")
    }

    @Test(
        "Nothing leads the reader away, loads what is not seen, or changes what was checked",
        arguments: [
            // Refreshing, and the base of all addresses.
            #"<meta http-equiv="refresh" content="0;url=https://else.example/">"#, "<META HTTP-EQUIV=Refresh content='0'>",
            #"<meta http-equiv="&#114;efresh">"#, #"<meta http-equiv=" refresh">"#, #"<meta http-equiv="{{v}}">"#,
            #"<meta http-equiv="{{#v}}refresh{{/v}}">"#, #"<meta {{#v}}http-equiv="refresh"{{/v}}>"#,
            #"<base href="https://else.example/">"#, "<base{{#v}} {{/v}}target=x>",
            #"<link rel="stylesheet" href="https://else.example/a.css">"#,
            // Styles that load, in attributes and in elements.
            #"<td style="background:url(https://else.example/a.png)">"#, "<td style=background:url(x)>",
            #"<td style='background: URL("x")'>"#,
            #"<td style="background:u\72l(x)">"#, #"<td style="background:&#117;rl(x)">"#, #"<td style="background:url&lpar;x)">"#,
            #"<td style="background:image-set('x' 1x)">"#, #"<td style="width:expression(x)">"#, #"<td style="x:{{v}}">"#,
            #"<td style="background:ur{{#v}} {{/v}}l(x)">"#, #"<td style="background:url{{#v}}{{/v}}(x)">"#,
            #"<td style="background:url{{>p}}(x)">"#, #"<td style="background:&{{#v}}{{/v}}lpar;x)">"#,
            "<style>a { background: url(x) }</style>", #"<style>@import "x";</style>"#, "<style>@im{{#v}} {{/v}}port 'x';</style>",
            #"<style>@font-face { src: url("x") }</style>"#, #"<style>a { background: u\rl(x) }</style>"#,
            "<style>@import</style>x<td style=@import>",
            #"<svg><rect fill="url(https://else.example/a#b)"/></svg>"#, #"<svg><g filter="url(x)"/></svg>"#,
            // Pictures that change addresses later, or hold other markup.
            #"<svg><a><animate attributeName="href" values="x"/></a></svg>"#, #"<svg><set attributeName="href" to="x"/></svg>"#,
            "<svg><animateTransform></svg>", "<svg><foreignObject><p>x</p></foreignObject></svg>",
            // Several pictures, several addresses.
            #"<img srcset="https://bank.example/a.png 1x, https://else.example/b.png 2x">"#, #"<source srcset="a.png">"#,
            #"<a href="https://bank.example/" ping="https://else.example/">"#,
            // Pages of others, and elements in which browsers see no markup.
            #"<iframe src="https://bank.example/">"#, #"<object data="https://bank.example/"></object>"#, "<embed>", "<textarea>",
            "<noscript>",
            "<xmp>", "<title><a>", "<title></b>", "<title><!--</title>", "<script{{#v}} {{/v}}>",
        ])
    func dangers(template: String) throws {
        let found = try codes(template, partials: ["p": " "])
        #expect(!found.isEmpty && Set(found) == [.unsafePlace], "\(template): \(found)")
    }

    @Test(
        "Styles that load nothing, titles and the usual of a head are taken",
        arguments: [
            #"<td style="color:rgb(1, 2, 3);font-family:&quot;Segoe UI&quot;,Arial;width:calc(100% - 8px)" {{#v}}style="color:red"{{/v}}>"#,
            "<td style='{{#v}}color:rgb(1,2,3){{/v}};mso-line-height-rule:exactly'>",
            #"<td style="color:{{#v}}red{{/v}}{{^v}}#fff{{/v}}">"#,
            "<style>@media only screen and (max-width:600px) { .a:not(.b) > c { color: #fff } } /* {{! no }} */ {{#v}}.c{ }{{/v}}</style>",
            #"<meta http-equiv="X-UA-Compatible" content="IE=edge"><meta name="viewport" content="width=device-width"><title>{{v}} &lt; 5</title>"#,
            "<title>x</title ><p>{{v}}", #"<svg fill="red"><path d="M0 0"/></svg>"#,
        ])
    func harmless(template: String) throws {
        #expect(try findings(template, kind: .html).map(\.reason) == [], "\(template)")
    }

    @Test("Pictures in markup come from the bank's hosts alone where those are known; what is only followed may lead elsewhere")
    func hosts() throws {
        func codes(_ template: String, _ hosts: Set<String>?) throws -> [TemplateFinding.Code] {
            try findings(template, kind: .html) { $0.pictureHosts = hosts }.map(\.code)
        }
        for loaded in [
            #"<img src="https://else.example/a.png">"#, "<img src=https://else.example>", #"<img src="//else.example/a.png">"#,
            #"<img src="https://Else.example:8443/a.png?x={{v}}">"#, #"<td background="https://else.example/">"#,
            #"<video poster='https://else.example/'>"#, #"<svg><image href="https://else.example/a"/></svg>"#,
            #"<svg><use xlink:href="https://else.example#a"/></svg>"#,
            #"<img src="https://img.bank.example.else.example/a.png">"#,
        ] {
            #expect(try codes(loaded, ["img.bank.example"]) == [.unsafeAddress], "\(loaded)")
            #expect(try codes(loaded, []) == [.unsafeAddress], "\(loaded)")
            #expect(try codes(loaded, nil) == [], "\(loaded)")
        }
        for taken in [
            #"<img src="https://Img.bank.example:8443/a.png"><img src=https://img.bank.example><img src="/i/name"><img src="cid:logo">"#,
            #"<a href="https://else.example/">x</a><form action="https://else.example/">"#,
        ] {
            #expect(try codes(taken, ["img.bank.example"]) == [], "\(taken)")
        }
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
