//! stub
pub fn run(_: usize) -> bool { true }
pub fn without_or(source: &str) -> Vec<String> {
    use serde_json::Value;
    let v: Value = serde_json::from_str(source).unwrap();
    expand(&v).iter().map(Value::to_string).collect()
}
fn expand(v: &serde_json::Value) -> Vec<serde_json::Value> {
    use serde_json::{Map, Value};
    let Some(object) = v.as_object() else { return vec![v.clone()] };
    let mut all = vec![Map::new()];
    for (key, value) in object {
        let choices: Vec<Map<String, Value>> = if key == "$or" {
            value.as_array().unwrap().iter().flat_map(expand).map(|it| it.as_object().unwrap().clone()).collect()
        } else {
            expand(value).into_iter().map(|it| Map::from_iter([(key.clone(), it)])).collect()
        };
        all = all.iter().flat_map(|head| choices.iter().map(move |tail| { let mut h = head.clone(); h.extend(tail.clone()); h })).collect();
    }
    all.into_iter().map(Value::Object).collect()
}
