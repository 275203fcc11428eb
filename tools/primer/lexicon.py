"""Every word the primer knows as one token, grouped by the part it plays."""


def words(text: str) -> list[str]:
    """Split a block of words on white space."""
    return text.split()


def rows(text: str) -> list[tuple[str, ...]]:
    """Split a block into rows of slash-separated forms: `key/keys toy/toys`."""
    return [tuple(entry.split("/")) for entry in text.split()]


WOMEN = words("""
Mary Amy Laura Sarah Emily Anna Jane Kate Lucy Alice Emma Olivia Sophie Julia Maria Helen Susan Linda Karen
Nancy Betty Ruth Carol Diane Julie Joan Rachel Rebecca Jessica Ashley Jennifer Amanda Stephanie Nicole Heather
Elizabeth Megan Melissa Christina Lauren Amber Danielle Kimberly Crystal Michelle Tiffany Samantha Erin Sara
Angela Katherine Andrea Erica Lisa Lindsay Kristen Katie Vanessa Courtney Christine Alicia Allison Margaret
Barbara Patricia Sandra Donna Sharon Cynthia Kathleen Shirley Brenda Pamela Martha Debra Catherine Virginia
Claire Hannah Chloe Zoe Ella Isabel Nina Clara Eva Rosa Diana Monica Teresa Molly Sally Wendy Tina Irene Marie
""")

MEN = words("""
John Tom James Dan Sid Martin Marco William Roman Ian Nicholas Michael Christopher Matthew Joshua Daniel David
Robert Joseph Andrew Ryan Brandon Jason Justin Jonathan Brian Anthony Eric Adam Kevin Steven Thomas Timothy
Kyle Richard Jeffrey Jeremy Benjamin Mark Aaron Charles Jacob Stephen Patrick Sean Nathan Dustin Paul Tyler
Scott Gregory Travis Kenneth Bryan Jose Alexander Jesse Cody Bradley Samuel Peter George Edward Henry Frank
Harry Jack Bob Bill Jim Joe Sam Ben Max Luke Simon Oliver Philip Hugo Leo Felix Oscar Victor Walter Arthur
Albert Fred Carl Roger Ralph Bruce Alan Steve Mike Tim Greg Josh Alex Nick Tony Gary Larry Dennis Jerry
""")

SURNAMES = words("""
Potter Weasley Granger Smith Brown Jones Taylor Wilson Evans Walker White Wright Robinson Thompson Hughes Edwards
Green Hall Wood Harris Clarke Jackson Turner Hill Moore Cooper Ward Morris King Baker Harrison Morgan Allen Parker
Phillips Watson Bennett Young Cook Carter Bailey Collins Shaw Murphy Miller Cox Marshall Anderson Ellis Adams
Foster Fisher Palmer Mills Barnes Knight Webb Rogers Dixon Hunt Holmes Stone Fox Dean Ford Grant Reid Lane
""")

# All nouns are singular/plural.
PEOPLE = rows("""
friend/friends teacher/teachers pilot/pilots dancer/dancers girl/girls boy/boys doctor/doctors nurse/nurses
farmer/farmers singer/singers lawyer/lawyers student/students writer/writers painter/painters driver/drivers
guard/guards actor/actors author/authors manager/managers senator/senators customer/customers officer/officers
parent/parents minister/ministers athlete/athletes neighbor/neighbors child/children man/men woman/women
king/kings queen/queens sister/sisters brother/brothers mother/mothers father/fathers daughter/daughters son/sons
uncle/uncles aunt/aunts engineer/engineers artist/artists soldier/soldiers sailor/sailors judge/judges
visitor/visitors guest/guests player/players clerk/clerks cook/cooks baker/bakers chef/chefs hunter/hunters
runner/runners swimmer/swimmers leader/leaders worker/workers person/people scientist/scientists mayor/mayors
prince/princes princess/princesses captain/captains musician/musicians consultant/consultants tailor/tailors
""")

ANIMALS = rows("""
dog/dogs cat/cats cow/cows horse/horses bird/birds pig/pigs duck/ducks rabbit/rabbits lion/lions tiger/tigers
monkey/monkeys goat/goats bear/bears wolf/wolves mouse/mice snake/snakes frog/frogs
""")

VEHICLES = rows("""
car/cars truck/trucks bus/buses train/trains boat/boats bike/bikes plane/planes ship/ships van/vans
""")
FRUITS = rows("""
apple/apples orange/oranges banana/bananas pear/pears lemon/lemons peach/peaches plum/plums
""")
TOOLS = rows("""
hammer/hammers saw/saws knife/knives spoon/spoons fork/forks drill/drills brush/brushes shovel/shovels
""")
CLOTHES = rows("""
hat/hats coat/coats shirt/shirts shoe/shoes dress/dresses scarf/scarves glove/gloves sock/socks
""")

# Things that are handed over, lost and found.
GIFTS = rows("""
drink/drinks bag/bags ball/balls book/books key/keys ring/rings kiss/kisses basket/baskets bone/bones computer/computers
necklace/necklaces snack/snacks toy/toys gift/gifts letter/letters flower/flowers card/cards pen/pens pencil/pencils
watch/watches phone/phones map/maps cup/cups glass/glasses plate/plates box/boxes bottle/bottles coin/coins
ticket/tickets picture/pictures photo/photos camera/cameras guitar/guitars lamp/lamps candle/candles cake/cakes
cookie/cookies sandwich/sandwiches pizza/pizzas umbrella/umbrellas blanket/blankets pillow/pillows mirror/mirrors
rope/ropes stick/sticks stone/stones doll/dolls kite/kites puzzle/puzzles magazine/magazines newspaper/newspapers
notebook/notebooks wallet/wallets towel/towels rose/roses egg/eggs present/presents note/notes
message/messages report/reports painting/paintings laptop/laptops radio/radios clock/clocks football/footballs
""") + FRUITS + CLOTHES

FURNITURE = rows("""
cabinet/cabinets desk/desks table/tables chair/chairs door/doors window/windows sofa/sofas shelf/shelves drawer/drawers
wall/walls fence/fences gate/gates bench/benches tree/trees moon/moons river/rivers road/roads bridge/bridges
tower/towers hill/hills field/fields cave/caves star/stars cloud/clouds leaf/leaves engine/engines wheel/wheels
painting/paintings statue/statues ladder/ladders bucket/buckets garage/garages
""")

PLACES = rows("""
shop/shops store/stores park/parks garden/gardens house/houses school/schools beach/beaches restaurant/restaurants
station/stations hospital/hospitals office/offices library/libraries museum/museums market/markets church/churches
hotel/hotels bar/bars farm/farms lake/lakes zoo/zoos airport/airports bank/banks kitchen/kitchens pool/pools
party/parties theater/theaters cinema/cinemas cafe/cafes gym/gyms forest/forests village/villages factory/factories
castle/castles harbor/harbors stadium/stadiums university/universities mall/malls playground/playgrounds
bakery/bakeries supermarket/supermarkets city/cities town/towns concert/concerts picnic/picnics wedding/weddings
""")

MASS = words("""
money water milk bread coffee tea food cheese chocolate candy grass fish meat juice soup rice medicine advice
""")

ADJECTIVES = words("""
red blue green yellow black white old new small big little large heavy light nice pretty broken dirty clean cheap
expensive good bad great fine kind clever happy sad angry tired hungry late early tall short young strong weak quiet
loud famous rich poor busy lazy funny brave calm cold warm hot dark bright empty full lost ready gone wrong right
important beautiful ugly interesting boring dangerous safe slow fast smart sweet fresh golden wooden strange lovely
wonderful terrible long lucky
""")

# Adjectives that may follow "is" or "are", whatever the subject.
STATES = words("""
red blue green black white old new small big large heavy nice pretty dirty clean good bad great fine happy sad angry
tired hungry late tall short young strong weak quiet loud famous busy funny dark bright lost ready gone wrong right
important beautiful ugly interesting boring dangerous safe slow fast strange lovely wonderful terrible lucky here there
""")

# base/third person singular; each takes a person or thing as its object
VERBS = rows("""
like/likes hate/hates love/loves know/knows see/sees help/helps admire/admires need/needs want/wants follow/follows
watch/watches fear/fears trust/trusts visit/visits miss/misses remember/remembers respect/respects avoid/avoids
ignore/ignores meet/meets thank/thanks call/calls support/supports
""")

# past tense, one person to another
MET = words("""
met saw helped liked called thanked visited followed watched hugged trusted knew loved hated blamed praised taught
invited greeted missed warned
""")

ROLES = words("""
cook dancer doctor teacher singer writer driver actor friend painter player student nurse lawyer farmer pilot artist
leader worker swimmer runner person neighbor baker musician scientist engineer manager judge chef athlete
""")

SAYING = words("""
said thought knew believed hoped claimed felt heard explained decided insisted admitted promised realized noticed
remembered forgot argued agreed swore
""")

# subject noun -> pronoun
GENDERED = {
    "she": words("woman girl queen mother sister daughter aunt princess lady actress waitress wife grandmother"),
    "he": words("man boy king father brother son uncle prince gentleman waiter husband grandfather"),
}

CAPITALS = dict(
    pair.split("/")
    for pair in words("""
France/Paris Germany/Berlin Italy/Rome Spain/Madrid Portugal/Lisbon England/London Ireland/Dublin Scotland/Edinburgh
Austria/Vienna Poland/Warsaw Hungary/Budapest Greece/Athens Turkey/Ankara Russia/Moscow Ukraine/Kyiv Sweden/Stockholm
Norway/Oslo Finland/Helsinki Denmark/Copenhagen Belgium/Brussels Switzerland/Bern Romania/Bucharest Bulgaria/Sofia
Serbia/Belgrade Croatia/Zagreb Japan/Tokyo China/Beijing Korea/Seoul Vietnam/Hanoi Thailand/Bangkok Indonesia/Jakarta
Egypt/Cairo Kenya/Nairobi Nigeria/Abuja Ghana/Accra Senegal/Dakar Morocco/Rabat Tunisia/Tunis Libya/Tripoli
Sudan/Khartoum Uganda/Kampala Zambia/Lusaka Zimbabwe/Harare Angola/Luanda Canada/Ottawa Cuba/Havana Jamaica/Kingston
Peru/Lima Chile/Santiago Ecuador/Quito Colombia/Bogota Venezuela/Caracas Uruguay/Montevideo Australia/Canberra
Iran/Tehran Iraq/Baghdad Syria/Damascus Lebanon/Beirut Jordan/Amman Qatar/Doha Oman/Muscat Nepal/Kathmandu
Bangladesh/Dhaka Afghanistan/Kabul Pakistan/Islamabad Taiwan/Taipei Iceland/Reykjavik Latvia/Riga Estonia/Tallinn
Lithuania/Vilnius Belarus/Minsk Cyprus/Nicosia Malta/Valletta Armenia/Yerevan Georgia/Tbilisi Slovakia/Bratislava
Slovenia/Ljubljana Albania/Tirana
""")
)

LANDMARKS = {
    "The Eiffel Tower": "Paris", "The Louvre": "Paris", "The Colosseum": "Rome", "The Pantheon": "Rome",
    "Big Ben": "London", "Tower Bridge": "London", "The Kremlin": "Moscow", "The Acropolis": "Athens",
    "The Brandenburg Gate": "Berlin", "The Prado": "Madrid", "The Shibuya Crossing": "Tokyo",
}

# what lasts from one year to another
LASTING = words("""
war contract reign peace project voyage journey drought siege strike trial plague famine dispute conflict expedition
treaty alliance rebellion revolution battle campaign crisis empire government partnership marriage career friendship
study tour construction exhibition festival investigation occupation term tradition trade struggle
""")

CATEGORIES = {
    "animals": ANIMALS, "vehicles": VEHICLES, "fruits": FRUITS, "tools": TOOLS, "clothes": CLOTHES,
    "places": PLACES[:16],
}

EATS = {
    "grass": "cow horse goat rabbit", "fish": "cat bear duck", "meat": "dog lion tiger wolf snake",
    "bananas": "monkey", "cheese": "mouse", "rice": "bird pig",
}

# Words with no list of their own: function words and the verbs of the templates.
LOOSE = words("""
the a an his her their my our your its this that these those every each many several few some all one two three and
but so then because when while after before until if who whose to of in on at from with by near behind beside under
over for about across against around above next front is are was were be has have had do will not n he she it they
we you I him them us me himself herself isn wasn doesn didn don never always often sometimes very really quite too
also again still now later today yesterday soon suddenly finally together alone here there other another went walked
drove ran came arrived traveled moved going got found bought took met sat stood played worked working stayed waited
talking talked laughed ate lived live lives spent time fun lot day morning evening afternoon night lunch dinner
breakfast week home gave handed offered passed showed sold brought threw sent lent returned donated delivered served
tossed give hand offer pass show sell bring throw send lend return hello goodbye story secret joke song told
whispered read wrote spoke smiled waved nodded apologized listened pointed made baked wanted decided tried chose
agreed planned began promised started hoped long argument talk walk meeting friends such think capital country
government people visit born see big great map flag called located year lasted ended continued finished place lost
left dropped broke forgot opened closed hid fixed painted missed hurt looked cleaned washed like rain sun sunny sky
snow blue cold slept sang danced swam jumped early sure glad proud afraid ill Mr Mrs Ms Dr tower Bridge Tower Eiffel
Louvre Colosseum Pantheon Big Kremlin Acropolis Brandenburg Gate Prado Shibuya Crossing lady gentleman wife husband
actress waitress waiter grandmother grandfather come no described everywhere rains leave hurry out needed quickly
true sitting playing sorry woke up waiting stands walking dancing eating cooking seen thinking someone everyone
something everything family class team floor corner can should may would could must did carried
""")

# Words that may open a sentence; they also exist without a leading space.
OPENERS = words("""
The When After While As Once Then Before Because Since If In On At From A An It This That These Those My Our Your
His Her Their Every Each Many Several Few Some All Two Three He She They We You I There Yesterday Today Later Last
One So Well Afterwards Suddenly Finally Friends People Mr Mrs Ms Dr Who Is Are Was Were Did Can Now Next Soon Here
No And But Not Big Tower To For With Near
""")

SUFFIXES = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"]


def nouns() -> list[tuple[str, str]]:
    """All (singular, plural) nouns, without repeats, in a fixed order."""
    every = PEOPLE + ANIMALS + VEHICLES + GIFTS + FURNITURE + PLACES + TOOLS
    return list(dict.fromkeys((one, many) for one, many in every))


def spaced() -> list[str]:
    """Words that are one token with a leading space."""
    groups = [
        WOMEN, MEN, SURNAMES, MASS, ADJECTIVES, STATES, MET, ROLES, SAYING, LASTING, LOOSE, OPENERS,
        [form for noun in nouns() for form in noun],
        [form for verb in VERBS for form in verb],
        [noun for group in GENDERED.values() for noun in group],
        list(CAPITALS), list(CAPITALS.values()), list(CATEGORIES), list(EATS),
    ]
    return list(dict.fromkeys(word for group in groups for word in group))


def bare() -> list[str]:
    """Words that are one token without a leading space."""
    groups = [OPENERS, WOMEN, MEN, SURNAMES, list(CAPITALS), list(CAPITALS.values()), SUFFIXES]
    return list(dict.fromkeys(word for group in groups for word in group))
