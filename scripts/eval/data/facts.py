"""facts: what the semantic experiment hides late in long documents, and asks for in other words.

(question, answer): no telling word of the question occurs in its answer, so that grep for the question finds nothing; the experiment
checks that. Several are about the same corner of life, so that they are taken for each other by whoever looks at single words.
"""

FACTS = (
    (
        "who fixes the heating when it breaks",
        "If the boiler in the cellar goes cold, ring Marta Oduya, who lives across the yard. She keeps the spare key "
        "and has repaired that burner twice. Until she comes, the radiators can be kept lukewarm by the wood stove; "
        "please do not press the red reset button.",
    ),
    (
        "how do customers get their money back",
        "A buyer who sends an article in again within thirty days is reimbursed in full, less the postage. The amount "
        "is credited to the card that was used for the purchase, usually within a week. Opened software and earrings "
        "are excluded from refunds.",
    ),
    (
        "what happens if somebody pays late",
        "For an invoice that is still open after its due date we charge two per cent interest a month, from the "
        "fifteenth day on. A first reminder is sent without a fee; the second costs eight francs. After ninety days the "
        "debt goes to a collection agency.",
    ),
    (
        "which animals may live in the flats",
        "Tenants can keep a cat or a small dog in their apartment if the neighbours on the same stairs have agreed in "
        "writing. Hamsters and goldfish need no permission. Parrots, because of their screeching, and snakes are not "
        "tolerated as pets in this house.",
    ),
    (
        "where does the fresh water of the village come from",
        "Our taps have been fed since 1911 by the spring below the Kaltenberg. A gravity pipe of four kilometres brings "
        "it down to the reservoir above the church, and no pump is needed. In dry summers the municipality buys some "
        "drinking supply from the next valley.",
    ),
    (
        "why did the old bridge collapse",
        "The wooden crossing at Anlauf fell into the river on a March morning in 1954, since drifting ice had gnawed "
        "through two of its piers. Nobody was on it. The engineers had warned for years that its timber was rotten "
        "below the waterline.",
    ),
    (
        "how much does a child's ticket cost",
        "On our buses, boys and girls under twelve travel for ninety cents, toddlers go free on a parent's lap. The "
        "reduced fare holds in all zones and until the end of service. School classes that have booked ahead are "
        "carried for a lump sum of twenty euros.",
    ),
    (
        "when is the library closed",
        "You cannot borrow any books on Mondays, nor in the two weeks around midsummer, as the reading room is locked "
        "then. Volumes that are to be returned on such days can be dropped into the slot beside the entrance; no fee is "
        "due for them.",
    ),
    (
        "what medicine helps against seasickness",
        "Before the ferry leaves, sailors here chew ginger or swallow a tablet of cinnarizine; either keeps nausea away "
        "on rough crossings. Stay on deck, look at the horizon, and eat dry biscuits. Once you are vomiting, the pills "
        "come too late.",
    ),
    (
        "how do I get into the building at night",
        "After ten in the evening the front door opens only with the grey key card, held for a second to the plate "
        "beside the bell. If it flashes red, call the porter, who is awake until six. The side entrance stays locked "
        "from dusk to dawn.",
    ),
    (
        "who inherits the farm",
        "In her will Agnes left the land and both barns to her niece Jolanda, and the orchard to the parish. The cattle "
        "were to be sold, and the proceeds shared among the three cousins. The notary opened the testament a week after "
        "the funeral.",
    ),
    (
        "how fast may one drive past the school",
        "Along the playground the limit for cars is twenty kilometres an hour, from seven until five on weekdays. A "
        "radar camera was mounted at the kindergarten last spring. Whoever exceeds the speed there loses three points "
        "and pays double.",
    ),
    (
        "what is the wine made of",
        "The cellar master presses Blaufränkisch and a third of Merlot grapes, which ripen on the southern slope. They "
        "are picked by hand in October, fermented in open vats with their skins, and the red is aged in oak barrels for "
        "fourteen months.",
    ),
    (
        "how should a burn be treated",
        "Scalded skin is held under a cool running tap for twenty minutes and then covered loosely with sterile gauze. "
        "Put neither butter nor ice on it, and leave blisters alone. Injuries by hot oil that are larger than a palm "
        "belong to a doctor.",
    ),
    (
        "why are the employees on strike",
        "The staff laid down work on Tuesday as management wants to cut the night bonus by a fifth. The union demands "
        "that the old wage agreement be kept for two more years. Pickets stand at both gates, and the assembly line has "
        "been idle since.",
    ),
    (
        "what time does the last train leave",
        "The final departure of the railway towards Sulden is at 23:14 from platform two, on Saturdays half an hour "
        "later. Passengers who miss it can take the night bus from the station forecourt, which stops everywhere and "
        "needs twice as long.",
    ),
    (
        "how can I make the bread rise better",
        "A dough that stays flat wants more patience: let the yeast work overnight in a warm corner, covered with a "
        "damp cloth. A spoon of honey feeds it. Knead until it is elastic, fold the loaf once more, and bake it in a "
        "very hot oven with steam.",
    ),
    (
        "which material was used for the roof",
        "The top of the chapel is covered with larch shingles, split by hand and laid in three layers. Slate was "
        "considered and found too heavy for the rafters. The tiles of wood turn silver after some winters and keep the "
        "rain out for sixty years.",
    ),
    (
        "who discovered the comet",
        "That tail in the sky was first seen by Ines Calloway, an amateur astronomer, through the telescope on her "
        "balcony in Porto. She reported it within the hour, and two observatories confirmed the orbit. By custom the "
        "celestial body now bears her name.",
    ),
    (
        "how is the cheese matured",
        "Each wheel rests for nine months on spruce boards in the vault, and is brushed with brine twice a week. The "
        "rind turns brown, and the curd inside grows firm and nutty with age. A dairyman taps every one of them with a "
        "little hammer and listens.",
    ),
    (
        "what should be done with used batteries",
        "Spent cells of torches and telephones belong neither in the bin nor in the stove, since they hold lithium and "
        "cadmium. Throw them into the red box beside the till, from where they are fetched for recycling every month. "
        "Tape over the poles first.",
    ),
    (
        "why was the concert cancelled",
        "The evening with the string quartet did not take place, for the cellist had broken her wrist on the stairs "
        "that morning. Those who had booked seats were offered another performance in May. The musicians were sorry and "
        "sent flowers to the organisers.",
    ),
    (
        "how do you ask for holidays",
        "Anyone who wants days off writes the dates into the blue calendar and gets a nod from the foreman a fortnight "
        "ahead. Parents are given preference while schools are out. Leave that was not taken by March lapses, unless "
        "the vacation was refused.",
    ),
    (
        "what caused the power failure",
        "The lights went out across the valley at noon because a marten had bitten through the cable of the substation. "
        "Electricity was restored to the hospital within minutes by a generator; the last households sat in the "
        "blackout until evening.",
    ),
    (
        "how many people fit in the hall",
        "There are seats for three hundred and forty guests on the ground floor of the auditorium, and eighty more in "
        "the gallery. With the chairs removed, the fire brigade allows an audience of six hundred standing. Wheelchairs "
        "find room in the first row.",
    ),
    (
        "what kind of fuel does the ferry burn",
        "Since the refit the engines of the boat run on rapeseed oil, of which its tank holds six tonnes. Diesel is "
        "carried as a reserve and has not been touched this year. The exhaust of the vessel smells of chips, as the "
        "passengers like to point out.",
    ),
    (
        "how do we protect the apples from frost",
        "On freezing April nights the growers light candles between the rows of the orchard and sprinkle the blossoms "
        "with water. The thin shell of ice keeps the fruit buds from getting colder. At minus four degrees the bell "
        "rings and everybody turns out.",
    ),
    (
        "who is allowed to sign contracts",
        "Agreements with suppliers are valid with the names of two directors under them; below a thousand francs one "
        "will do. Deputies have no such authority, not even in August. What a clerk has put his name to binds the "
        "company to nothing.",
    ),
    (
        "what is the penalty for fishing without a licence",
        "Whoever is caught by the warden with a rod and no permit has to hand over the trout and four hundred crowns. "
        "Anglers who come back within the same year lose their tackle, too. Children may cast a line from the jetty as "
        "they like.",
    ),
    (
        "where can visitors leave their cars",
        "Guests find free parking spaces behind the cemetery, five minutes on foot from the museum. The market square "
        "is for delivery vans alone, and other vehicles are towed. Coaches stop at the bridge, let everybody out, and "
        "wait by the stadium.",
    ),
    (
        "how long do the eggs take to hatch",
        "Under the lamp the chicks peck their way out of the shell after twenty-one days. Turn the clutch three times "
        "daily, keep the incubator moist, and stop turning on the eighteenth. Ducklings need a week more than hens, and "
        "geese ten days.",
    ),
    (
        "which language do they speak at home",
        "Around the kitchen table the family talks Romansh with the grandparents, and Portuguese otherwise. The girls "
        "answer in German when they are cross. Their mother tongue, says the elder one, depends on who has cooked.",
    ),
    (
        "how was the thief caught",
        "The burglar was arrested since he had lost his bus pass, with a photograph, below the window that he had "
        "climbed through. The police found the stolen silver under his bed. He confessed at once and asked only for his "
        "pass.",
    ),
    (
        "what does the doctor recommend for sleeping badly",
        "Against insomnia Dr Reyes, our physician, advises a dark bedroom, no screens after nine, and a short walk at "
        "dusk. Whoever lies awake for half an hour ought to get up and read something dull. She prescribes pills for a "
        "week at most.",
    ),
    (
        "why is the river water brown",
        "The stream carries clay from the quarry after each thunderstorm, which tints it like cocoa for some hours. It "
        "is muddy but not poisonous: the trout survive, and cattle drink from it. Below the lake, where the sediment "
        "settles, the current is clear again.",
    ),
    (
        "how does one become a member of the choir",
        "New singers come to a rehearsal on a Thursday, perform a song of their own pick, and are admitted by a show of "
        "hands. Tenors are always welcome. Whoever joins the chorus pays thirty francs a year and buys the black "
        "folder.",
    ),
    (
        "what was the highest temperature ever measured here",
        "The thermometer at the weather station read 39.4 degrees in the shade on the second of August 2003, the record "
        "until now. That heat wave lasted eleven days. The coldest morning, with thirty below zero, was in the winter "
        "of 1956.",
    ),
    (
        "how do I clean the coffee machine",
        "Descale the espresso maker every month: run a litre with citric acid through it, then two of plain water. The "
        "strainer is rinsed daily, the milk nozzle wiped after every cup. Washing-up liquid ruins the seals, and the "
        "taste for weeks.",
    ),
    (
        "what happens to lost property",
        "Umbrellas and gloves that somebody forgot in the tram are kept for ninety days by the depot, and auctioned "
        "afterwards. Wallets and telephones are handed to the police on the same evening. Whoever calls for a belonging "
        "has to describe it first.",
    ),
    (
        "who wrote the music for the film",
        "The score of the picture was composed by Tomasz Brandl, and played by the orchestra of Graz. He had three "
        "weeks for it, and only a rough cut of the movie to look at. The melody of the opening titles later became the "
        "anthem of a football club.",
    ),
)
