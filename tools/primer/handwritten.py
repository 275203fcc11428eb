"""Prompts written by hand, as a visitor might type them: (prompt, answer, foil)."""

PAPER = [
    (text.format(names[giver]), f" {names[1 - giver]}", f" {names[giver]}")
    for names, text in [
        (("John", "Mary"), "When John and Mary went to the shops, {} gave the bag to"),
        (("Tom", "James"), "When Tom and James went to the park, {} gave the ball to"),
        (("Dan", "Sid"), "When Dan and Sid went to the shops, {} gave an apple to"),
        (("Martin", "Amy"), "After Martin and Amy went to the park, {} gave a drink to"),
    ]
    for giver in (0, 1)
]

VISITOR = [
    ("When John and Mary went to the shop, John gave a drink to", " Mary", " John"),
    ("When Mary and John went to the shop, John gave a drink to", " Mary", " John"),
    ("When Mary and John went to the store, Mary gave a drink to", " John", " Mary"),
    ("When John and Mary went to the store, John gave a bottle of milk to", " Mary", " John"),
    ("John and Mary went to the shop. John gave a drink to", " Mary", " John"),
    ("John and Mary went to the shop, and John gave a drink to", " Mary", " John"),
    ("Mary and John went to the shop. Then John gave the keys to", " Mary", " John"),
    ("Then, John and Mary had a lot of fun at the school. John gave a ring to", " Mary", " John"),
    ("Then, Mary and John were working at the hospital. Mary decided to give a book to", " John", " Mary"),
    ("While Mary and John were working at the office, John gave a letter to", " Mary", " John"),
    ("After John and Mary went to the shop, Mary handed the bag to", " John", " Mary"),
    ("Yesterday John met Mary in the park. John gave a flower to", " Mary", " John"),
    ("Yesterday John met Mary in the park. Mary gave a flower to", " John", " Mary"),
    ("Friends John and Mary found a ring at the beach. John gave it to", " Mary", " John"),
    ("When John and Mary were at the party, Mary said hello to", " John", " Mary"),
    ("John and Mary had dinner. Afterwards, John said goodbye to", " Mary", " John"),
    ("When John and Mary went out, John sent a message to", " Mary", " John"),
    ("When Tom and Mary went to the museum, Tom showed a painting to", " Mary", " Tom"),
    ("When Anna and Peter went to the zoo, Peter showed the monkeys to", " Anna", " Peter"),
    ("Because Sarah and David were late, David threw the keys to", " Sarah", " David"),
    ("Alice and Bob went to the cafe. Bob bought a coffee for", " Alice", " Bob"),
    ("Alice and Bob went to the cafe. Alice passed a note to", " Bob", " Alice"),
    ("One day Emma and Jack were playing in the garden, and Emma threw the ball to", " Jack", " Emma"),
    ("Once Lucy and Simon arrived at the station, Simon handed the tickets to", " Lucy", " Simon"),
    ("When Kate and Paul cooked dinner, Paul passed the salt to", " Kate", " Paul"),
    ("George and Helen sat at the table. Helen told a story to", " George", " Helen"),
    ("George and Helen sat at the table. George gave", " Helen", " George"),
    ("It was a sunny day. When John and Mary went to the shop, John gave a drink to", " Mary", " John"),
    ("The dog slept in the garden. When Mary and John went to the beach, Mary gave the towel to", " John", " Mary"),
    ("When John and Mary got a snack at the store, John decided to give it to", " Mary", " John"),
    ("When Mary and Susan went to the market, Susan gave an orange to", " Mary", " Susan"),
    ("When John and Henry went to the farm, Henry gave the horse to", " John", " Henry"),
    ("John and Mary walked home together, but then Mary gave the umbrella to", " John", " Mary"),
    ("John and Mary were friends, so John lent the car to", " Mary", " John"),
    ("As Mary and John came home from school, John gave the football to", " Mary", " John"),
    ("When Amy, Laura and Dan went to the shop, Laura and Dan gave a drink to", " Amy", " Laura"),
    ("When Amy, Laura and Dan went to the shop, Amy and Dan gave a drink to", " Laura", " Dan"),
    ("Last week John and Mary bought a big blue house near the lake, and John gave the key to", " Mary", " John"),
    ("When John and Mary went to Paris, John gave a picture to", " Mary", " John"),
    ("John went to the cinema with Mary. John gave the ticket to", " Mary", " John"),
]
