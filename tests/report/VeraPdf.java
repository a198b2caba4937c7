import java.io.FileInputStream;
import java.util.Map;
import java.util.TreeMap;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** Checks PDF files with veraPDF: prints for each what it claims to be, how many checks were made, and what failed. */
public class VeraPdf {
    public static void main(String[] files) throws Exception {
        Logger.getLogger("org.verapdf").setLevel(Level.SEVERE);
        VeraGreenfieldFoundryProvider.initialise();
        for (String file : files) {
            try (PDFAParser parser = Foundries.defaultInstance().createParser(new FileInputStream(file));
                    PDFAValidator validator = Foundries.defaultInstance().createValidator(parser.getFlavour(), false)) {
                PDFAFlavour claimed = parser.getFlavour();
                ValidationResult result = validator.validate(parser);
                System.out.println(file + "\t" + claimed.getId() + "\t" + result.getTotalAssertions());
                Map<String, Integer> failed = new TreeMap<>();
                for (TestAssertion one : result.getTestAssertions()) {
                    if (one.getStatus() == TestAssertion.Status.FAILED) {
                        failed.merge(one.getRuleId().getClause() + ": " + one.getMessage(), 1, Integer::sum);
                    }
                }
                failed.forEach((told, times) -> System.out.println("\t" + told + " (" + times + " times)"));
            }
        }
    }
}
