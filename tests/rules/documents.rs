//! Code in documents that equals code in examples.

use workspace::root;

#[test]
fn documents_show_the_verification_of_the_examples() {
    let page = std::fs::read_to_string(root().join("docs/clients/webhooks.md")).unwrap();
    let all = page.split("```").skip(1).step_by(2);
    let of_code = all.filter(|block| block.starts_with("js\n") || block.starts_with("python\n"));
    let blocks: Vec<&str> = of_code.filter(|block| block.contains("d25519")).collect();
    assert_eq!(blocks.len(), 2, "the page shows how ed25519 is verified in both languages");
    let sources = ["receiver.mjs", "receiver.py"]
        .map(|file| std::fs::read_to_string(root().join("examples/webhooks").join(file)).unwrap());
    for block in blocks {
        let (_, code) = block.split_once('\n').unwrap();
        assert!(sources.iter().any(|source| source.contains(code.trim_end())), "in no example: {code}");
    }
}
